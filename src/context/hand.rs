//! The hand of a worker: holds on the Context of the turns that it gives.
//!
//! The tasks of a request often run one after the other on the same worker. Each that ends lets go
//! of the request's Context, and each that spawns another takes a hold for it: read-modify-writes on a
//! count that other cores change as well. So a worker keeps in its hand what its turns leave and hands
//! out what is there. If the next turn is in the same Context, the holds stay; before anything else
//! they go, all in one subtraction; and so they do at the end of a task that somebody may join.
//!
//! Nobody can see the difference: while the hand holds a Context, a task that the worker runs holds it
//! too. What is kept goes before a turn in another Context, before anybody else's code runs
//! between two turns, and before the worker looks in vain for another task.
//!
//! A thread in `block_on` has a hand as well, of the Context of its future. That one is held until `block_on`
//! returns, so what is in the hand stays there as long, whatever runs on the thread meanwhile.

use crate::context::context::Context;
use crate::context::credits;
use crate::context::node::{Header, Node};
use crate::context::slot::SLOT;

/// The hand of this worker is open until this is dropped. Whoever has it empties the hand between
/// turns, and at last.
#[must_use = "the hand is open only as long as this lives"]
pub(crate) struct OpenHand {
    _outer: Outer,
}

/// The hand of a thread in `block_on`, of one Context until this is dropped.
#[must_use = "the hand is open only as long as this lives"]
pub(crate) struct KeptHand {
    _outer: Outer,
}

/// The hand of whoever runs on this thread around the one that has it now, and has it again when this is
/// dropped. What was in it has gone.
struct Outer {
    of: *const Header,
    kept: bool,
}

impl KeptHand {
    /// Opens the hand.
    ///
    /// # Safety
    ///
    /// Somebody must hold the Context until what is returned was dropped.
    pub(crate) unsafe fn of(context: &Context) -> KeptHand {
        KeptHand {
            _outer: Outer::suspend(context.as_raw(), true),
        }
    }
}

impl Outer {
    fn suspend(of: *const Header, kept: bool) -> Outer {
        let (outer, left) = SLOT.with(|slot| {
            let outer = Outer {
                of: slot.hand.of(),
                kept: slot.hand_is_kept.replace(kept),
            };
            (outer, slot.hand.turn_to(of))
        });
        // Most often who runs around this one holds it too. But in a waker that a turn calls at its end, its
        // task may be gone.
        drop(last_of(left));
        outer
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        SLOT.with(|slot| {
            slot.hand_is_kept.set(self.kept);
            // Held by the future in `block_on`, or empty.
            credits::give_back(slot.hand.turn_to(self.of));
        });
    }
}

impl OpenHand {
    pub(crate) fn new() -> OpenHand {
        OpenHand {
            _outer: Outer::suspend(credits::NOBODY, false),
        }
    }

    /// Whether the last turn was in this Context, so that what is in the hand may stay there.
    #[inline(always)]
    pub(crate) fn is_for(&self, next: &Context) -> bool {
        SLOT.with(|slot| slot.hand.is_of(next.as_raw()))
    }

    /// Says in which Context the next turn is, another one, and gives what is in the hand to the caller,
    /// to be dropped.
    #[inline]
    pub(crate) fn empty_before(&self, next: &Context) -> Context {
        SLOT.with(|slot| last_of(slot.hand.turn_to(next.as_raw())))
    }

    /// Gives what is in the hand to the caller, to be dropped.
    #[inline]
    pub(crate) fn empty(&self) -> Context {
        SLOT.with(|slot| last_of(slot.hand.close()))
    }
}

impl Drop for OpenHand {
    fn drop(&mut self) {
        drop(self.empty());
    }
}

/// Gives back what is in the hand of the Context of a task that somebody joins, who may expect the values to
/// be gone when the last task is. Not where a future in `block_on` has them anyhow.
#[inline(always)]
pub(crate) fn settle(context: &Context) {
    SLOT.with(|slot| {
        if slot.hand.is_of(context.as_raw()) && !slot.hand_is_kept.get() {
            // It is of this one again, for the rest of the turn; and `context` is one hold more.
            credits::give_back(slot.hand.turn_to(context.as_raw()));
        }
    });
}

/// Makes one hold of all.
#[inline]
fn last_of(hand: Option<(Node, usize)>) -> Context {
    let Some((node, holds)) = hand else {
        return Context::empty();
    };
    // SAFETY: the holds were put there to be given back, and one is left for what is returned.
    unsafe {
        if holds > 1 {
            node.unshow_many(holds - 1);
        }
        Context::from_raw(node.as_ptr())
    }
}
