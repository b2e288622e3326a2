//! Credits: how a frame that spawns or joins many tasks touches its Context's count once for many.
//!
//! The tasks of one request run on several cores, and all of them hold the request's Context: a
//! count that every spawn and every join changes is a cache line that the cores fight over. So the
//! second time that a frame hands out its base it takes a number of holds at once, and hands out
//! the rest without touching the count; and a base that a joined task gives back is kept as a
//! credit. What is left when the frame ends goes back in one subtraction.
//!
//! Nobody can see the difference: whoever owns the frame's base holds it for as long as the frame
//! lasts, so a credit never keeps a value that would have gone without it. That is why it works
//! for the base alone, and not for the Context of a Scope, which may be closed at any time.

use crate::context::context::Context;
use crate::context::key::Flags;
use crate::context::node::{Header, Node};
use crate::context::overlay;
use crate::context::slot::Slot;

/// There is no frame, or no Context to give credit of.
pub(super) const NONE: isize = isize::MIN;
/// A frame has begun.
pub(super) const FRESH: isize = 0;
/// The frame has handed out its base once, and has no credit.
const USED: isize = -1;
/// How many holds a frame takes at once.
const BATCH: isize = 32;

/// What a task that is spawned now gets. `None` if it has to be found out the long way.
#[inline]
pub(super) fn hand_out(slot: &Slot) -> Option<Context> {
    if !slot.top.get().is_null() {
        return None;
    }
    let raw = overlay::resolve(slot);
    let node = Node::from_ptr(raw)?;
    // SAFETY: the base is shown by the frame's owner.
    if unsafe { node.flags() }.contains(Flags::NOT_INHERITED) {
        return None;
    }
    let left = match slot.credits.get() {
        NONE | FRESH => return None,
        USED => {
            // SAFETY: as above.
            unsafe { node.show_many(BATCH as usize) };
            BATCH - 1
        }
        credits => credits - 1,
    };
    slot.credits.set(if left == 0 { USED } else { left });
    // SAFETY: one of the holds that were taken is this one's.
    Some(unsafe { Context::from_raw(raw) })
}

/// Takes note that the present frame has handed out its base the usual way.
#[inline]
pub(super) fn handed_out(slot: &Slot) {
    if slot.credits.get() == FRESH && slot.top.get().is_null() {
        slot.credits.set(USED);
    }
}

/// Takes a Context back that a task had, as a credit if it is the present frame's base.
#[inline]
pub(super) fn take_back(slot: &Slot, context: Context) -> Option<Context> {
    let credits = slot.credits.get();
    let raw = context.as_raw();
    if raw.is_null() || raw != slot.current.get() || credits == NONE || !slot.top.get().is_null() {
        return Some(context);
    }
    slot.credits.set(credits.max(0) + 1);
    std::mem::forget(context);
    None
}

/// Gives back what a frame has left.
#[cold]
pub(super) fn settle(base: *const Header, credits: isize) {
    if let Some(node) = Node::from_ptr(base) {
        // SAFETY: the credits are holds that nobody uses, and the owner of the base has one more.
        unsafe { node.unshow_many(credits as usize) };
    }
}
