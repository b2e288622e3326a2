//! Credits: how many holds on the current Context cost one change of its count.
//!
//! The tasks of one request run on several cores, and all of them hold the request's Context: a
//! count that every spawn, every join and every question changes is a cache line that the cores fight
//! over. So the second time that what is current is handed out, to a task or to whoever asks, a number
//! of holds is taken at once, and the rest is handed out without touching the count; and what a joined
//! task gives back, and what is dropped of the same Context, is kept as a credit. What is left when
//! the frame ends or the Scope closes goes back in one subtraction.
//!
//! Nobody can see the difference: whoever owns the frame's base holds it for as long as the frame
//! lasts, and the Scope's entry its Context until it is closed, so a credit never keeps a value
//! that would have gone without it.
//!
//! A thread has one account for that, of what was last handed out. A worker has a second one, of the
//! Context of the turn that it gives, which lasts longer: its [hand](crate::context::hand).

use std::cell::Cell;
use std::ptr;

use crate::context::context::Context;
use crate::context::node::{Header, Node};
use crate::context::slot::{Slot, SLOT};

/// Holds on one Context that are not in use.
pub(super) struct Account {
    /// Which Context; [`NOBODY`] while it is closed.
    of: Cell<*const Header>,
    /// How many, or [`FRESH`] or [`USED`].
    holds: Cell<isize>,
}

/// The address of no Context, also not of the empty one, and of no overlay.
pub(super) const NOBODY: *const Header = ptr::without_provenance(2);

/// Nothing was handed out yet.
const FRESH: isize = -1;
/// It was handed out before, and there is no hold left.
const USED: isize = 0;
/// How many holds are taken at once.
const BATCH: isize = 32;

impl Account {
    pub(super) const fn new() -> Self {
        Account {
            of: Cell::new(NOBODY),
            holds: Cell::new(FRESH),
        }
    }

    pub(super) fn of(&self) -> *const Header {
        self.of.get()
    }

    #[inline(always)]
    pub(super) fn is_of(&self, raw: *const Header) -> bool {
        ptr::eq(self.of.get(), raw)
    }

    /// Begins anew with another Context, and returns the holds that there were on the one before.
    #[inline]
    pub(super) fn turn_to(&self, raw: *const Header) -> Option<(Node, usize)> {
        let of = self.of.replace(raw);
        let holds = self.holds.replace(FRESH);
        if holds <= 0 {
            return None;
        }
        Some((Node::from_ptr(of)?, holds as usize))
    }

    /// As [`turn_to`](Self::turn_to), with no Context.
    #[inline]
    pub(super) fn close(&self) -> Option<(Node, usize)> {
        self.turn_to(NOBODY)
    }

    /// Puts in a hold on the Context that this is of. It is the caller's to give, who has it no longer.
    #[inline(always)]
    pub(super) fn put(&self) {
        self.holds.set(self.holds.get().max(USED) + 1);
    }

    /// A hold for a new task, or for whoever asks.
    ///
    /// # Safety
    ///
    /// The account must be of `node`, and somebody must show that.
    #[inline]
    unsafe fn hand_out(&self, node: Node) -> Context {
        debug_assert!(self.is_of(node.as_ptr()));
        let left = match self.holds.get() {
            FRESH => {
                // SAFETY: as the caller promises.
                unsafe { node.show() };
                USED
            }
            USED => {
                // SAFETY: as above.
                unsafe { node.show_many(BATCH as usize) };
                BATCH - 1
            }
            holds => holds - 1,
        };
        self.holds.set(left);
        // SAFETY: one of the holds that were taken is this one's.
        unsafe { Context::from_raw(node.as_ptr()) }
    }
}

/// A hold on the current Context, for whoever asks for it or for a task that is spawned now.
///
/// # Safety
///
/// `current` must be what is current.
#[inline]
pub(super) unsafe fn hand_out(slot: &Slot, current: Node) -> Context {
    // SAFETY: it is shown by the frame's owner or by the Scope's entry.
    unsafe { account(slot, current.as_ptr()).hand_out(current) }
}

/// Takes a Context back that a task had, as a credit if it is the current one.
#[inline]
pub(super) fn take_back(slot: &Slot, context: Context) -> Option<Context> {
    let raw = context.as_raw();
    if raw.is_null() || raw != slot.current.get().raw() {
        return Some(context);
    }
    account(slot, raw).put();
    std::mem::forget(context);
    None
}

/// Keeps what a Context that ends here has held, where there is an account of it. Returns whether so: the hold
/// is no longer the caller's then.
#[inline(always)]
pub(super) fn keep(node: Node) -> bool {
    SLOT.with(|slot| {
        let raw = node.as_ptr();
        let account = match slot.hand.is_of(raw) {
            true => &slot.hand,
            false if slot.credits.is_of(raw) => &slot.credits,
            false => return false,
        };
        account.put();
        true
    })
}

/// The account of what is current.
#[inline]
fn account(slot: &Slot, current: *const Header) -> &Account {
    if slot.hand.is_of(current) {
        return &slot.hand;
    }
    if !slot.credits.is_of(current) {
        give_back(slot.credits.turn_to(current));
    }
    slot.current.set(slot.current.get().owing());
    &slot.credits
}

/// Gives back the credits for a Context whose Scope closes.
#[inline]
pub(super) fn settle(slot: &Slot, raw: *const Header) {
    if slot.credits.is_of(raw) {
        settle_all(slot);
    }
}

/// Gives back the credits for whichever Context there are some.
pub(super) fn settle_all(slot: &Slot) {
    give_back(slot.credits.close());
}

/// Gives back what was in an account. Somebody has one hold more: the owner of the frame or the Scope that what
/// was handed out was current in, or whoever settles the hand.
#[inline]
pub(super) fn give_back(holds: Option<(Node, usize)>) {
    if let Some((node, holds)) = holds {
        // SAFETY: the holds are in use by nobody, and not the last ones.
        unsafe { node.unshow_many(holds) };
    }
}
