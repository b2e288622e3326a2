//! Entries of Scopes that are no longer open, kept for the next ones.
//!
//! An entry is never freed: a Scope that was forgotten, or that outlived its frame, may still look
//! at its generation. So a thread keeps its spare entries, and leaves them to others when it ends.

use std::ptr;

use crate::context::opened::Opened;
use crate::context::slot::{Slot, SLOT};
use crate::sync::statics::Mutex;

/// What threads that ended have left.
static LEFT: Mutex<Left> = Mutex::new(Left(ptr::null()));

/// A list of entries that belong to nobody.
struct Left(*const Opened);

// SAFETY: whoever holds the lock is the only one to touch the entries of the list.
unsafe impl Send for Left {}

/// An entry that is in no chain.
#[inline]
pub(super) fn take(slot: &Slot) -> &'static Opened {
    // SAFETY: spare entries of this thread are its own, and are never freed.
    match unsafe { slot.spare.get().as_ref() } {
        Some(spare) => {
            slot.spare.set(spare.prev.get());
            spare
        }
        None => take_left(),
    }
}

/// Gives an entry back. It must be in no chain.
#[inline]
pub(super) fn put(slot: &Slot, spare: &'static Opened) {
    spare.prev.set(slot.spare.replace(spare));
    if slot.leaving.get() {
        leave(slot);
    }
}

#[cold]
fn take_left() -> &'static Opened {
    // Registers the destructor. Not in a model, where all threads are one thread of the system
    // and this one would find none of their slots.
    if cfg!(not(kamon_loom)) {
        let _ = LEAVE.try_with(|_| ());
    }
    let mut left = LEFT.lock();
    // SAFETY: we have the lock, and entries are never freed.
    match unsafe { left.0.as_ref() } {
        Some(spare) => {
            left.0 = spare.prev.get();
            spare
        }
        None => Box::leak(Box::new(Opened::new())),
    }
}

thread_local! {
    static LEAVE: Leave = const { Leave };
}

/// Leaves a thread's spare entries to others when the thread ends.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        SLOT.with(|slot| {
            // Destructors that run after this one may still open Scopes.
            slot.leaving.set(true);
            leave(slot);
        });
    }
}

#[cold]
fn leave(slot: &Slot) {
    let mut left = LEFT.lock();
    let mut cursor = slot.spare.replace(ptr::null());
    // SAFETY: spare entries of this thread are its own until the lock is released.
    while let Some(spare) = unsafe { cursor.as_ref() } {
        cursor = spare.prev.replace(left.0);
        left.0 = spare;
    }
}
