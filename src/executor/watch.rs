//! Who looks after what a thread in `block_on` leaves undone.
//!
//! Such a thread is a guest among the workers: it has a queue that others steal from. A task that
//! it has just spawned or woken waits in its LIFO slot, and nobody is called, because most often
//! the thread is about to await that very task and runs it itself. But the thread belongs to the
//! user, whose future may block it. So while any guest is polling its future, one idle worker
//! sleeps in naps, of 50 microseconds at first and 1.6 milliseconds at most, and looks whether
//! something was left.

use crate::sync::atomic::{fence, AtomicBool, AtomicUsize, Ordering};
use crate::sync::spin;

/// How often an idle worker looks whether the guests have gone to sleep before it watches them.
const PATIENCE: u32 = if cfg!(kamon_loom) { 1 } else { 200 };

/// The guests that are at work, and whether a worker watches over them.
pub(crate) struct Watch {
    guests: AtomicUsize,
    watched: AtomicBool,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch {
            guests: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
        }
    }

    /// A guest begins to poll. Returns whether somebody has to be called to watch.
    pub(crate) fn guest_begins(&self) -> bool {
        self.guests.fetch_add(1, Ordering::Relaxed);
        // Ordering: SeqCst fence between counting ourselves and looking for a watcher. Pairs
        // with the one in `Watching::drop`: a watcher that leaves sees us, or we see it gone.
        fence(Ordering::SeqCst);
        !self.watched.load(Ordering::Relaxed)
    }

    /// A guest goes to sleep, or away.
    pub(crate) fn guest_rests(&self) {
        self.guests.fetch_sub(1, Ordering::Relaxed);
    }

    /// An idle worker asks whether it should watch.
    pub(crate) fn begin(&self) -> Option<Watching<'_>> {
        // Most guests are about to sleep when a worker runs out of work: they get a moment.
        let mut patience = PATIENCE;
        while patience > 0 {
            if self.guests.load(Ordering::Relaxed) == 0 {
                return None;
            }
            spin();
            patience -= 1;
        }
        // Ordering: acquire and release so that one watch follows the other.
        if self.watched.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(Watching { watch: self })
    }
}

/// One nap of a watcher.
pub(crate) struct Watching<'a> {
    watch: &'a Watch,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        // Ordering: release; pairs with the swap in `begin`.
        self.watch.watched.store(false, Ordering::Release);
        // Ordering: see `guest_begins`.
        fence(Ordering::SeqCst);
    }
}
