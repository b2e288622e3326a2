//! The counts of a block: who shows its table, who keeps its value, and what happens when they go.

use crate::context::contain::quietly;
use crate::context::frame::apart;
#[cfg(kamon_loom)]
use crate::context::live;
use crate::context::node::Node;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// More holders than this are a leak of Contexts in a loop; as with `Arc`, the process ends
/// before the count can wrap.
const MAX_HOLDERS: usize = isize::MAX as usize;

impl Node {
    /// Takes one more `shown`.
    ///
    /// # Safety
    ///
    /// The block must be shown by somebody during the call.
    #[inline(always)]
    pub(crate) unsafe fn show(self) {
        // Ordering: made from a hold that exists, so there is nothing to wait for; what the new
        // holder may read is passed on by whatever hands it to another thread.
        // SAFETY: the block is alive.
        let before = unsafe { self.header() }
            .shown
            .fetch_add(1, Ordering::Relaxed);
        if before > MAX_HOLDERS {
            std::process::abort();
        }
    }

    /// Gives back one `shown`. Drops the values that nobody shows any more; when one of their
    /// destructors panics, the rest is dropped all the same and the panic goes on.
    ///
    /// # Safety
    ///
    /// The caller must own that `shown` and not use it again.
    #[inline]
    pub(crate) unsafe fn unshow(self) {
        // SAFETY: as the caller promises.
        if unsafe { self.end_of_shown() } {
            let mut dying = Dying {
                node: Some(self),
                index: 0,
            };
            apart(|| dying.run());
        }
    }

    /// How many `shown` there are.
    ///
    /// # Safety
    ///
    /// The block must be shown by somebody during the call.
    #[cfg(all(test, not(kamon_loom)))]
    pub(super) unsafe fn holds(self) -> usize {
        // SAFETY: the block is alive.
        unsafe { self.header() }.shown.load(Ordering::Relaxed)
    }

    /// Takes `number` more `shown` at once.
    ///
    /// # Safety
    ///
    /// As for [`show`](Self::show).
    pub(super) unsafe fn show_many(self, number: usize) {
        // Ordering: as in `show`.
        // SAFETY: the block is alive.
        let before = unsafe { self.header() }
            .shown
            .fetch_add(number, Ordering::Relaxed);
        if before > MAX_HOLDERS {
            std::process::abort();
        }
    }

    /// Gives back `number` of `shown` at once, none of them the last one.
    ///
    /// # Safety
    ///
    /// The caller must own them, and not use them again; the block must be shown by somebody else
    /// during the call.
    pub(super) unsafe fn unshow_many(self, number: usize) {
        // Ordering: release, for whoever takes the last one away.
        // SAFETY: as the caller promises.
        unsafe { self.header() }
            .shown
            .fetch_sub(number, Ordering::Release);
    }

    /// Takes one more `kept`.
    ///
    /// # Safety
    ///
    /// The cell must be kept by somebody during the call.
    pub(super) unsafe fn keep(self) {
        // Ordering: as in `show`.
        // SAFETY: as the caller promises.
        let before = unsafe { self.header() }
            .kept
            .fetch_add(1, Ordering::Relaxed);
        if before > MAX_HOLDERS {
            std::process::abort();
        }
    }

    /// Gives back one `kept`.
    ///
    /// # Safety
    ///
    /// The caller must own it and not use it again.
    unsafe fn unkeep(self) {
        // SAFETY: as the caller promises; the last one destroys.
        unsafe {
            if last(&self.header().kept) {
                self.destroy();
            }
        }
    }

    /// Gives back one `shown`; `true` if it was the last one.
    ///
    /// # Safety
    ///
    /// The caller must own it and not use it again.
    #[inline(always)]
    unsafe fn end_of_shown(self) -> bool {
        // SAFETY: as the caller promises.
        let ended = last(unsafe { &self.header().shown });
        #[cfg(kamon_loom)]
        if ended {
            live::hidden(self);
        }
        ended
    }
}

/// Takes apart a block that nobody shows any more, then its parents: a loop, because a chain of
/// blocks may be longer than the stack is deep. Dropped half way by a panic, it goes on.
struct Dying {
    node: Option<Node>,
    /// Entries before this one are done with.
    index: usize,
}

impl Dying {
    fn run(&mut self) {
        while let Some(node) = self.node {
            // SAFETY: the last `shown` of the block is ours to finish. The block itself is alive
            // until its `kept` is given back, which comes last; a flat block owns one `kept` of
            // each cell in its table, and any other block one `shown` of its parent.
            unsafe {
                let parent = node.header().parent;
                while parent.is_none() && self.index < node.len() {
                    let cell = node.entry_ptr(self.index).read().cell;
                    self.index += 1;
                    if cell != node {
                        cell.unkeep();
                    }
                }
                self.index = 0;
                self.node = parent.filter(|parent| parent.end_of_shown());
                node.unkeep();
            }
        }
    }
}

impl Drop for Dying {
    fn drop(&mut self) {
        if self.node.is_none() {
            return;
        }
        // Only after a panic is anything left. A second one must not meet it.
        apart(|| {
            while self.node.is_some() {
                quietly(|| self.run());
            }
        });
    }
}

/// Counts one down; `true` for whoever counted the last, who need not write that down: a count is
/// made from another one, so that who is alone stays alone.
#[inline(always)]
fn last(count: &AtomicUsize) -> bool {
    // Ordering: Acquire pairs with the Release below, so that all that the other holders did with
    // the block comes before its end.
    if count.load(Ordering::Acquire) == 1 {
        return true;
    }
    // Ordering: Release, see above.
    if count.fetch_sub(1, Ordering::Release) != 1 {
        return false;
    }
    // Ordering: Acquire, see above. A load and not a fence, because ThreadSanitizer does not know
    // fences.
    count.load(Ordering::Acquire);
    true
}
