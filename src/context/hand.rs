//! The hand of a worker: holds on one Context that ended tasks have left there.
//!
//! The tasks of a request often end one after the other on the same worker, and each of them lets go
//! of the request's Context: a read-modify-write on a count that other cores change as well. So a
//! worker keeps such a hold in its hand until it knows what comes next. If that is a turn in the
//! same Context, the holds stay; before anything else they go, all in one subtraction.
//!
//! Nobody can see the difference: while the hand holds a Context, a task that the worker runs holds it
//! too. What is kept goes before a turn in another Context, before anybody else's code runs
//! between two turns, and before the worker looks in vain for another task.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::context::context::Context;
use crate::context::credits;
use crate::context::node::{Header, Node};
use crate::context::slot::SLOT;
use crate::sync::tls;

struct Hand {
    /// Whether somebody empties it: otherwise nothing is put there.
    open: Cell<bool>,
    /// What is in it, owned; null when it is empty.
    context: Cell<*const Header>,
    /// How many holds there are besides that one.
    more: Cell<usize>,
}

tls! {
    static HAND: Hand = Hand {
        open: Cell::new(false),
        context: Cell::new(ptr::null()),
        more: Cell::new(0),
    };
}

/// The hand of this thread is open until this is dropped. Whoever has it empties the hand between
/// turns, and at last.
#[must_use = "the hand is open only as long as this lives"]
pub(crate) struct OpenHand(PhantomData<*const ()>);

impl OpenHand {
    pub(crate) fn new() -> OpenHand {
        HAND.with(|hand| hand.open.set(true));
        OpenHand(PhantomData)
    }

    /// Gives what is in the hand to the caller, to be dropped, unless it is what a task has that
    /// runs next.
    #[inline]
    pub(crate) fn empty_before(&self, next: &Context) -> Context {
        HAND.with(|hand| match hand.context.get() == next.as_raw() {
            true => Context::empty(),
            false => hand.take(),
        })
    }

    /// Gives what is in the hand to the caller, to be dropped.
    #[inline]
    pub(crate) fn empty(&self) -> Context {
        HAND.with(Hand::take)
    }
}

impl Drop for OpenHand {
    fn drop(&mut self) {
        let last = HAND.with(|hand| {
            hand.open.set(false);
            hand.take()
        });
        drop(last);
    }
}

/// Puts the Context of a task that has ended into the hand. Returns it when that cannot be: nobody
/// would take it out again in time, or there is another one.
#[inline]
pub(crate) fn keep(context: Context) -> Option<Context> {
    HAND.with(|hand| {
        let raw = context.as_raw();
        let held = hand.context.get();
        if !hand.open.get() || raw.is_null() || !(held.is_null() || held == raw) {
            return Some(context);
        }
        // Within a frame this is a part of something else that goes on, for who knows how long.
        if SLOT.with(|slot| slot.credits.get()) != credits::NONE {
            return Some(context);
        }
        match held.is_null() {
            true => hand.context.set(raw),
            false => hand.more.set(hand.more.get() + 1),
        }
        std::mem::forget(context);
        None
    })
}

impl Hand {
    #[inline]
    fn take(&self) -> Context {
        let raw = self.context.get();
        if raw.is_null() {
            return Context::empty();
        }
        self.take_out(raw)
    }

    fn take_out(&self, raw: *const Header) -> Context {
        self.context.set(ptr::null());
        let more = self.more.replace(0);
        if let (Some(node), true) = (Node::from_ptr(raw), more > 0) {
            // SAFETY: the holds were put here to be given back, and there is one besides them.
            unsafe { node.unshow_many(more) };
        }
        // SAFETY: the hand owned it.
        unsafe { Context::from_raw(raw) }
    }
}
