//! Scopes that wait for the next poll of the task in which they are open.

use std::ptr;

use crate::context::opened::Opened;
use crate::context::slot::SLOT;
use crate::context::word::Word;

/// The Scopes that were open when a task's last poll ended. They are put back by
/// [`Frame::resume`](super::frame::Frame::resume); those that are left when this is dropped were
/// forgotten.
pub(crate) struct SavedScopes {
    /// The top of a chain that is no frame's, or null.
    top: *const Opened,
}

// SAFETY: each use asks first whether the chain belongs to this thread, which reads only what
// nobody writes; a chain that does not is left alone for ever.
unsafe impl Send for SavedScopes {}
// SAFETY: `&SavedScopes` gives access to nothing but `is_empty`.
unsafe impl Sync for SavedScopes {}

impl SavedScopes {
    /// No Scopes.
    pub(crate) const fn new() -> Self {
        SavedScopes { top: ptr::null() }
    }

    /// Whether no Scope waits.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.top.is_null()
    }

    /// Keeps a chain.
    pub(super) fn put(&mut self, top: *const Opened) {
        debug_assert!(self.is_empty());
        self.top = top;
    }

    /// Opens the Scopes again, in a frame that begins now with `base`: what is current in it.
    #[cold]
    pub(super) fn reopen(&mut self, base: Word) -> Word {
        let chain = self.take_at_home();
        if chain.is_null() {
            return base;
        }
        SLOT.with(|slot| {
            // SAFETY: the chain is of this thread, and we were the only ones to have its top.
            let (top, current) = unsafe {
                Opened::rebase(chain, base, slot.top.get());
                Opened::settle(slot, chain)
            };
            slot.top.set(top);
            current
        })
    }

    fn take_at_home(&mut self) -> *const Opened {
        let top = std::mem::replace(&mut self.top, ptr::null());
        // SAFETY: it was the top of our chain.
        if !top.is_null() && unsafe { Opened::is_home(top) } {
            top
        } else {
            // Another thread's: a forgotten Scope whose future then moved. Its entries cannot be
            // touched from here, and the leak is the forgetter's.
            ptr::null()
        }
    }

    #[cold]
    fn dispose(&mut self) {
        let top = self.take_at_home();
        // SAFETY: the chain is of this thread, and we were the only ones to have its top.
        drop(SLOT.with(|slot| unsafe { Opened::dispose(slot, top) }));
    }
}

impl Drop for SavedScopes {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.is_empty() {
            self.dispose();
        }
    }
}
