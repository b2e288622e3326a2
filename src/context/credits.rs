//! Credits: how whoever spawns or joins many tasks touches their Context's count once for many.
//!
//! The tasks of one request run on several cores, and all of them hold the request's Context: a
//! count that every spawn and every join changes is a cache line that the cores fight over. So the
//! second time that a frame hands out its base, or an open Scope its Context, it takes a number of
//! holds at once, and hands out the rest without touching the count; and what a joined task gives
//! back is kept as a credit. What is left when the frame ends or the Scope closes goes back in one
//! subtraction.
//!
//! Nobody can see the difference: whoever owns the frame's base holds it for as long as the frame
//! lasts, and the Scope's entry its Context until it is closed, so a credit never keeps a value
//! that would have gone without it.

use std::cell::Cell;

use crate::context::context::Context;
use crate::context::key::Flags;
use crate::context::node::{Header, Node};
use crate::context::opened::Opened;
use crate::context::overlay;
use crate::context::slot::Slot;

/// There is no frame, or no Context to give credit of.
pub(super) const NONE: isize = isize::MIN;
/// A frame has begun, or a Scope was opened.
pub(super) const FRESH: isize = 0;
/// It was handed out once, and there is no credit.
const USED: isize = -1;
/// How many holds a frame takes at once.
const BATCH: isize = 32;

/// What a task that is spawned now gets. `None` if it has to be found out the long way.
#[inline]
pub(super) fn hand_out(slot: &Slot) -> Option<Context> {
    let (raw, account) = match scope(slot) {
        Some(opened) => (slot.current.get(), &opened.credits),
        None => (overlay::resolve(slot), &slot.credits),
    };
    let node = Node::from_ptr(raw)?;
    // SAFETY: it is shown by the frame's owner or by the Scope's entry.
    if unsafe { node.flags() }.contains(Flags::NOT_INHERITED) {
        return None;
    }
    let left = match account.get() {
        NONE | FRESH => return None,
        USED => {
            // SAFETY: as above.
            unsafe { node.show_many(BATCH as usize) };
            BATCH - 1
        }
        credits => credits - 1,
    };
    account.set(if left == 0 { USED } else { left });
    // SAFETY: one of the holds that were taken is this one's.
    Some(unsafe { Context::from_raw(raw) })
}

/// Takes note that what is current was handed out the usual way.
#[inline]
pub(super) fn handed_out(slot: &Slot) {
    let account = account(slot);
    if account.get() == FRESH {
        account.set(USED);
    }
}

/// Takes a Context back that a task had, as a credit if it is the current one.
#[inline]
pub(super) fn take_back(slot: &Slot, context: Context) -> Option<Context> {
    let account = account(slot);
    let credits = account.get();
    let raw = context.as_raw();
    if raw.is_null() || raw != slot.current.get() || credits == NONE {
        return Some(context);
    }
    account.set(credits.max(0) + 1);
    std::mem::forget(context);
    None
}

/// Where the credits for what is current are kept.
#[inline]
fn account(slot: &Slot) -> &Cell<isize> {
    scope(slot).map_or(&slot.credits, |opened| &opened.credits)
}

/// The Scope whose Context is current, if it is not the frame's base.
#[inline]
fn scope(slot: &Slot) -> Option<&'static Opened> {
    // SAFETY: entries are never freed, and this one is in the present frame's chain.
    unsafe { slot.top.get().as_ref() }
}

/// Gives back what a frame or a Scope has left.
#[cold]
pub(super) fn settle(base: *const Header, credits: isize) {
    if let Some(node) = Node::from_ptr(base) {
        // SAFETY: the credits are holds that nobody uses, and the owner of the base has one more.
        unsafe { node.unshow_many(credits as usize) };
    }
}
