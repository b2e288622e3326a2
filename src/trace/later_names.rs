//! The names that a span was given later.

use std::ptr;

use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::trace::TagKey;

/// The names that a span was given later. They are read while others are added, so all stay until
/// the span goes.
pub(super) struct LaterNames {
    /// The newest; null if there is none.
    newest: AtomicPtr<Renamed>,
}

struct Renamed {
    name: TagKey,
    before: *mut Renamed,
}

/// How often a span may be renamed.
const MOST_NAMES: usize = 64;

// SAFETY: a name is never changed once it is published, and freed by whoever clears all.
unsafe impl Send for LaterNames {}
// SAFETY: as above.
unsafe impl Sync for LaterNames {}

impl LaterNames {
    #[inline(always)]
    pub(super) fn new() -> Self {
        LaterNames {
            newest: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The name that it has now, if it was given one.
    #[inline]
    pub(super) fn newest(&self) -> Option<&TagKey> {
        // Ordering: Acquire pairs with the Release in `add`: the name is whole.
        let newest = self.newest.load(Ordering::Acquire);
        // SAFETY: names stay, unchanged, until all go, which `self` is borrowed from.
        let newest = unsafe { newest.as_ref() };
        newest.map(|renamed| &renamed.name)
    }

    /// Puts another name in place of the one that it has now, if it had not too many.
    ///
    /// # Safety
    ///
    /// The caller must have the lock.
    pub(super) unsafe fn add(&self, name: TagKey) -> bool {
        if self.count() >= MOST_NAMES {
            return false;
        }
        // Ordering: names are published under the lock only, and we have it.
        let before = self.newest.load(Ordering::Relaxed);
        let renamed = Box::into_raw(Box::new(Renamed { name, before }));
        // Ordering: Release pairs with the Acquire in `newest`.
        self.newest.store(renamed, Ordering::Release);
        true
    }

    /// How many other names it had. The caller has the lock.
    fn count(&self) -> usize {
        let mut count = 0;
        // Ordering: as in `add`.
        let mut cursor = self.newest.load(Ordering::Relaxed);
        // SAFETY: as in `newest`.
        while let Some(renamed) = unsafe { cursor.as_ref() } {
            count += 1;
            cursor = renamed.before;
        }
        count
    }
}

impl LaterNames {
    /// Lets go of all. Nobody else may look.
    #[inline]
    pub(super) fn clear(&self) {
        // Ordering: nobody else is left.
        let mut cursor = self.newest.load(Ordering::Relaxed);
        self.newest.store(ptr::null_mut(), Ordering::Relaxed);
        while !cursor.is_null() {
            // SAFETY: each name was made by `Box::into_raw`, and nobody is left to read it.
            let renamed = unsafe { Box::from_raw(cursor) };
            cursor = renamed.before;
        }
    }
}
