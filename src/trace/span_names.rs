//! The names that a span has had.

use std::ptr;

use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::trace::TagKey;

/// The names that a span has had. They are read while others are added, so all stay until the span
/// goes.
pub(super) struct SpanNames {
    first: TagKey,
    /// The newest other name; null if there is none.
    renamed: AtomicPtr<Renamed>,
}

struct Renamed {
    name: TagKey,
    before: *mut Renamed,
}

/// How often a span may be renamed.
const MOST_NAMES: usize = 64;

// SAFETY: a name is never changed once it is published, and freed by whoever drops all.
unsafe impl Send for SpanNames {}
// SAFETY: as above.
unsafe impl Sync for SpanNames {}

impl SpanNames {
    #[inline(always)]
    pub(super) fn new(first: TagKey) -> Self {
        SpanNames {
            first,
            renamed: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The name that it has now.
    #[inline]
    pub(super) fn newest(&self) -> &TagKey {
        // Ordering: Acquire pairs with the Release in `add`: the name is whole.
        let renamed = self.renamed.load(Ordering::Acquire);
        // SAFETY: names stay, unchanged, until all go, which `self` is borrowed from.
        match unsafe { renamed.as_ref() } {
            Some(renamed) => &renamed.name,
            None => &self.first,
        }
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
        let before = self.renamed.load(Ordering::Relaxed);
        let renamed = Box::into_raw(Box::new(Renamed { name, before }));
        // Ordering: Release pairs with the Acquire in `newest`.
        self.renamed.store(renamed, Ordering::Release);
        true
    }

    /// How many other names it had. The caller has the lock.
    fn count(&self) -> usize {
        let mut count = 0;
        // Ordering: as in `add`.
        let mut cursor = self.renamed.load(Ordering::Relaxed);
        // SAFETY: as in `newest`.
        while let Some(renamed) = unsafe { cursor.as_ref() } {
            count += 1;
            cursor = renamed.before;
        }
        count
    }
}

impl Drop for SpanNames {
    #[inline]
    fn drop(&mut self) {
        // Ordering: nobody else is left.
        let mut cursor = self.renamed.load(Ordering::Relaxed);
        while !cursor.is_null() {
            // SAFETY: each name was made by `Box::into_raw`, and nobody is left to read it.
            let renamed = unsafe { Box::from_raw(cursor) };
            cursor = renamed.before;
        }
    }
}
