//! The global allocator: the system's or mimalloc, which counts bytes while it is told to.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

#[cfg(not(feature = "mimalloc"))]
type Inner = std::alloc::System;
#[cfg(not(feature = "mimalloc"))]
const INNER: Inner = std::alloc::System;

#[cfg(feature = "mimalloc")]
type Inner = mimalloc::MiMalloc;
#[cfg(feature = "mimalloc")]
const INNER: Inner = mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: Counting = Counting(INNER);

struct Counting(Inner);

/// Off wherever time is measured: then all that is added to an allocation is one predicted branch.
static COUNTS: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);

/// Begins to count. What was allocated before and is freed from now on counts below zero.
pub(crate) fn count() {
    COUNTS.store(true, Ordering::Relaxed);
}

/// Returns the bytes that were asked for and not given back since [`count`].
pub(crate) fn live_bytes() -> isize {
    LIVE.load(Ordering::Relaxed)
}

fn add(bytes: isize) {
    if COUNTS.load(Ordering::Relaxed) {
        LIVE.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn size(layout: Layout) -> isize {
    // No layout is larger than `isize::MAX`.
    layout.size() as isize
}

// SAFETY: the inner allocator does everything.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(size(layout));
        // SAFETY: the caller's promises are passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(size(layout));
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add(new_size as isize - size(layout));
        // SAFETY: as above.
        unsafe { self.0.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-size(layout));
        // SAFETY: as above.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}
