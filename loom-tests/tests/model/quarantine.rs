//! An allocator that makes use after free visible: what is freed is overwritten, and nobody gets it
//! again for a while.
//!
//! A model that touches freed memory then finds loom objects that do not exist, or pointers that
//! lead nowhere, and ends in a panic or a signal instead of going on with what was left there.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many freed blocks are kept; about as many as a few executions leave.
const BLOCKS: usize = 4096;
/// Larger blocks are freed at once: they are loom's own, or tables.
const LARGEST: usize = 2048;
const PATTERN: u8 = 0xDD;

/// The allocator.
pub(crate) struct Quarantine {
    taken: AtomicBool,
    blocks: UnsafeCell<Blocks>,
}

struct Blocks {
    next: usize,
    kept: [(*mut u8, Layout); BLOCKS],
}

// SAFETY: `blocks` is touched by whoever has `taken` only.
unsafe impl Sync for Quarantine {}

impl Quarantine {
    pub(crate) const fn new() -> Quarantine {
        let nothing = (std::ptr::null_mut(), Layout::new::<u8>());
        let blocks = Blocks {
            next: 0,
            kept: [nothing; BLOCKS],
        };
        Quarantine {
            taken: AtomicBool::new(false),
            blocks: UnsafeCell::new(blocks),
        }
    }

    /// Keeps a block, and returns the one that has been kept for longest.
    fn exchange(&self, block: (*mut u8, Layout)) -> (*mut u8, Layout) {
        while self.taken.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        // SAFETY: nobody else has `taken`.
        let blocks = unsafe { &mut *self.blocks.get() };
        let oldest = std::mem::replace(&mut blocks.kept[blocks.next], block);
        blocks.next = (blocks.next + 1) % BLOCKS;
        self.taken.store(false, Ordering::Release);
        oldest
    }
}

// SAFETY: the system's allocator, with frees that are put off.
unsafe impl GlobalAlloc for Quarantine {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (block, layout) = if layout.size() > LARGEST {
            (block, layout)
        } else {
            // SAFETY: the block has this size, and whoever frees it does not use it any more.
            unsafe { block.write_bytes(PATTERN, layout.size()) };
            self.exchange((block, layout))
        };
        if !block.is_null() {
            // SAFETY: it was allocated above with this layout, and is freed once.
            unsafe { System.dealloc(block, layout) };
        }
    }
}
