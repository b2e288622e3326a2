//! Frames: one poll, drop or closure during which one Context is the base.

use std::marker::PhantomData;
use std::ptr;

use crate::context::context::Context;
use crate::context::credits;
use crate::context::node::Header;
use crate::context::opened::Opened;
use crate::context::overlay::Overlay;
use crate::context::saved::SavedScopes;
use crate::context::slot::{Slot, SLOT};

/// Makes a Context current until it is dropped, and then restores what was current before,
/// whatever happened in between.
///
/// Frames nest as the calls do that own them: they must not be forgotten or dropped out of order.
#[must_use = "the Context is current only as long as the frame lives"]
pub(crate) struct Frame<'a> {
    outer: Suspended,
    base: PhantomData<Base<'a>>,
}

/// As [`Frame`], for a task or future that keeps its open Scopes from one poll to the next.
#[must_use = "the Context is current only as long as the frame lives"]
pub(crate) struct ResumedFrame<'a, const BINDS: bool> {
    outer: Suspended,
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
    fn as_raw(&self) -> *const Header {
        match self {
            Base::Context(context) => context.as_raw(),
            Base::Overlay(overlay) => overlay.as_raw(),
        }
    }
}

/// What the slot said of the frame around this one.
#[derive(Clone, Copy)]
struct Suspended {
    current: *const Header,
    top: *const Opened,
}

impl<'a> Frame<'a> {
    /// Makes a Context current, or an overlay. Scopes that are open when the frame ends are disposed
    /// of.
    #[inline(always)]
    pub(crate) fn enter(base: impl Into<Base<'a>>) -> Self {
        let base = base.into();
        // `benches/without-context` measures what the two swaps cost.
        let outer = if cfg!(kamon_without_context) {
            Suspended::NOTHING
        } else {
            SLOT.with(|slot| Suspended::swap(slot, base.as_raw(), ptr::null()))
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

/// Ends the Scopes that are still open in the present frame, so that what comes next in it happens
/// in its base: a task's future is dropped in the task's Context, whatever its code forgot.
#[inline]
pub(crate) fn end_scopes() {
    SLOT.with(|slot| {
        if !slot.top.get().is_null() {
            end_open_scopes(slot);
        }
    });
}

#[cold]
fn end_open_scopes(slot: &Slot) {
    let top = slot.top.replace(ptr::null());
    // SAFETY: the top of the present frame's chain, which no frame has any more. Its values are
    // dropped when the slot is in order again.
    unsafe {
        slot.current.set(Opened::base(top));
        drop(Opened::dispose(slot, top));
    }
}

impl Drop for Frame<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if cfg!(kamon_without_context) {
            return;
        }
        SLOT.with(|slot| {
            if slot.top.get().is_null() && self.outer.top.is_null() {
                leave(slot, self.outer);
            } else {
                leave_with_scopes(slot, self.outer);
            }
        });
    }
}

impl<'a, const BINDS: bool> ResumedFrame<'a, BINDS> {
    #[inline(always)]
    fn enter(base: Base<'a>, saved: &'a mut SavedScopes) -> Self {
        SLOT.with(|slot| {
            let (top, current) = match saved.is_empty() {
                true => (ptr::null(), base.as_raw()),
                false => saved.take(slot, base.as_raw()),
            };
            ResumedFrame {
                outer: Suspended::swap(slot, current, top),
                bound: BINDS && slot.bound.replace(true),
                saved,
                base: PhantomData,
            }
        })
    }
}

impl<const BINDS: bool> Drop for ResumedFrame<'_, BINDS> {
    #[inline(always)]
    fn drop(&mut self) {
        SLOT.with(|slot| {
            let bound = slot.bound.get();
            if BINDS {
                slot.bound.set(self.bound);
            }
            if slot.top.get().is_null() && self.outer.top.is_null() {
                return leave(slot, self.outer);
            }
            if bound {
                save_scopes(slot, self.saved);
            }
            leave_with_scopes(slot, self.outer);
        });
    }
}

impl Suspended {
    /// No frame around.
    const NOTHING: Self = Suspended {
        current: ptr::null(),
        top: ptr::null(),
    };

    #[inline(always)]
    fn swap(slot: &Slot, current: *const Header, top: *const Opened) -> Self {
        let outer = Suspended {
            current: slot.current.replace(current),
            top: slot.top.get(),
        };
        if !ptr::eq(outer.top, top) {
            slot.top.set(top);
        }
        outer
    }
}

/// The end of a frame in which no Scope is open, nor around it.
#[inline(always)]
fn leave(slot: &Slot, outer: Suspended) {
    let base = slot.current.replace(outer.current);
    credits::settle(slot, base);
}

/// Takes the open Scopes out of the present frame.
#[cold]
fn save_scopes(slot: &Slot, saved: &mut SavedScopes) {
    let top = slot.top.replace(ptr::null());
    if !top.is_null() {
        // SAFETY: the present frame's chain, taken from it.
        unsafe { Opened::cross_await(top) };
        saved.put(top);
    }
}

/// The end of a frame in which a Scope is open, or around which one is.
#[cold]
fn leave_with_scopes(slot: &Slot, outer: Suspended) {
    // For what is current, and then for a Scope, or for the base below it.
    credits::settle_all(slot);
    let open = slot.top.get();
    let (top, current) = match outer.top.is_null() {
        true => (ptr::null(), outer.current),
        // The Scope that made `outer.current` current may be closed by now: ask the chain.
        // SAFETY: the outer frame's chain, which nobody has touched but through `close`.
        false => unsafe { Opened::settle(slot, outer.top) },
    };
    slot.top.set(top);
    slot.current.set(current);
    // SAFETY: the chain of the frame that just ended. Its values are dropped when the slot is in
    // order again.
    drop(unsafe { Opened::dispose(slot, open) });
}
