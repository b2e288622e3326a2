//! Frames: one poll, drop or closure during which one Context is the base.

use std::marker::PhantomData;

use crate::context::context::Context;
use crate::context::credits;
use crate::context::opened::Opened;
use crate::context::overlay::Overlay;
use crate::context::saved::SavedScopes;
use crate::context::slot::{hold, Slot, SLOT};
use crate::context::word::Word;

/// Makes a Context current until it is dropped, and then restores what was current before,
/// whatever happened in between.
///
/// Frames nest as the calls do that own them: they must not be forgotten or dropped out of order.
#[must_use = "the Context is current only as long as the frame lives"]
pub(crate) struct Frame<'a> {
    /// What the slot said in the frame around this one.
    outer: Word,
    base: PhantomData<Base<'a>>,
}

/// As [`Frame`], for a task or future that keeps its open Scopes from one poll to the next.
#[must_use = "the Context is current only as long as the frame lives"]
pub(crate) struct ResumedFrame<'a, const BINDS: bool> {
    outer: Word,
    /// What the slot said of the task around this one, if the frame is the one of a task.
    bound: bool,
    saved: &'a mut SavedScopes,
    base: PhantomData<Base<'a>>,
}

/// What is current in a frame without any Scope. It is borrowed: its owner cannot drop it before
/// the frame ends.
#[derive(Clone, Copy)]
pub(crate) enum Base<'a> {
    Context(&'a Context),
    Overlay(&'a Overlay<'a>),
}

impl<'a> From<&'a Context> for Base<'a> {
    #[inline(always)]
    fn from(context: &'a Context) -> Self {
        Base::Context(context)
    }
}

impl<'a> From<&'a Overlay<'a>> for Base<'a> {
    #[inline(always)]
    fn from(overlay: &'a Overlay<'a>) -> Self {
        Base::Overlay(overlay)
    }
}

impl Base<'_> {
    #[inline(always)]
    fn word(&self) -> Word {
        match self {
            Base::Context(context) => Word::of_context(context.as_raw()),
            Base::Overlay(overlay) => overlay.word(),
        }
    }
}

impl<'a> Frame<'a> {
    /// Makes a Context current, or an overlay. Scopes that are open when the frame ends are disposed
    /// of.
    #[inline(always)]
    pub(crate) fn enter(base: impl Into<Base<'a>>) -> Self {
        let base = base.into();
        // `benches/without-context` measures what the two swaps cost.
        let outer = if cfg!(kamon_without_context) {
            Word::EMPTY
        } else {
            SLOT.with(|slot| slot.current.replace(base.word()))
        };
        Frame {
            outer,
            base: PhantomData,
        }
    }

    /// Makes `context` current, and in it the Scopes that were open when the last such frame
    /// ended. For a task that never leaves its thread.
    #[inline(always)]
    pub(crate) fn resume(
        context: &'a Context,
        saved: &'a mut SavedScopes,
    ) -> ResumedFrame<'a, true> {
        ResumedFrame::enter(context.into(), saved)
    }

    /// As [`Frame::resume`] inside a task that never leaves its thread, and as [`Frame::enter`]
    /// everywhere else. For a future that is part of it does not know which task.
    #[inline(always)]
    pub(crate) fn resume_within(
        base: impl Into<Base<'a>>,
        saved: &'a mut SavedScopes,
    ) -> ResumedFrame<'a, false> {
        ResumedFrame::enter(base.into(), saved)
    }
}

impl Drop for Frame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if cfg!(kamon_without_context) {
            return;
        }
        SLOT.with(|slot| {
            if slot.current.get().is_plain_in(self.outer) {
                slot.current.set(self.outer);
            } else {
                leave(slot, self.outer);
            }
        });
    }
}

impl<'a, const BINDS: bool> ResumedFrame<'a, BINDS> {
    #[inline(always)]
    fn enter(base: Base<'a>, saved: &'a mut SavedScopes) -> Self {
        let current = match saved.is_empty() {
            true => base.word(),
            false => saved.reopen(base.word()),
        };
        SLOT.with(|slot| ResumedFrame {
            outer: slot.current.replace(current),
            bound: BINDS && slot.bound.replace(true),
            saved,
            base: PhantomData,
        })
    }
}

impl<const BINDS: bool> Drop for ResumedFrame<'_, BINDS> {
    #[inline(always)]
    fn drop(&mut self) {
        SLOT.with(|slot| {
            if slot.current.get().is_plain_in(self.outer) {
                slot.current.set(self.outer);
            } else {
                leave_resumed(slot, self.outer, self.saved);
            }
            if BINDS {
                slot.bound.set(self.bound);
            }
        });
    }
}

/// Calls `f` in a frame of its own, in which the same is current as around it. For code of the user's that has no
/// Context to itself, as the destructor of a value: what it leaves open ends with it.
#[inline]
pub(super) fn apart<R>(f: impl FnOnce() -> R) -> R {
    if cfg!(kamon_without_context) {
        return f();
    }
    SLOT.with(|slot| {
        let current = slot.current.get();
        // A Scope owns what it made current, and `f` may close it.
        let held = current.is_scoped().then(|| hold(slot));
        let frame = Frame {
            outer: slot.current.replace(current.as_base()),
            base: PhantomData,
        };
        let result = f();
        drop(frame);
        drop(held);
        result
    })
}

/// The end of a frame that has more to do than to write the word: in it a Scope is open or holds were taken, or
/// around it a Scope was open when it began.
#[cold]
fn leave(slot: &Slot, outer: Word) {
    // For what is current, and then for a Scope, or for the base below it.
    credits::settle_all(slot);
    let open = Opened::take_chain(slot);
    let current = match outer.is_scoped() {
        false => outer,
        true => {
            // The Scope that made it current may be closed by now: ask the chain.
            // SAFETY: the outer frame's chain, which nobody has touched but through `close`.
            let (top, current) = unsafe { Opened::settle(slot, slot.top.get()) };
            slot.top.set(top);
            current
        }
    };
    slot.current.set(current);
    if !open.is_null() {
        // SAFETY: the chain of the frame that just ended. Its values are dropped when the slot is in
        // order again.
        drop(unsafe { Opened::dispose(slot, open) });
    }
}

/// As [`leave`], where the open Scopes are to be there again in the next frame, if the task is bound.
#[cold]
fn leave_resumed(slot: &Slot, outer: Word, saved: &mut SavedScopes) {
    if slot.bound.get() {
        let chain = Opened::take_chain(slot);
        if !chain.is_null() {
            // SAFETY: the present frame's chain, taken from it.
            unsafe { Opened::cross_await(chain) };
            saved.put(chain);
        }
    }
    leave(slot, outer);
}

/// Ends the Scopes that are still open in the present frame, so that what comes next in it happens
/// in its base: a task's future is dropped in the task's Context, whatever its code forgot.
#[inline]
pub(crate) fn end_scopes() {
    SLOT.with(|slot| {
        if slot.current.get().is_scoped() {
            end_open_scopes(slot);
        }
    });
}

#[cold]
fn end_open_scopes(slot: &Slot) {
    let chain = Opened::take_chain(slot);
    // SAFETY: the present frame's chain, which no frame has any more. Its values are
    // dropped when the slot is in order again.
    drop(unsafe { Opened::dispose(slot, chain) });
}
