//! Who looks after tasks that a thread keeps to itself, having called nobody for them.
//!
//! A thread in `block_on` is a guest among the workers: it has a queue that others steal from. A task
//! that it has just spawned or woken waits in its LIFO slot, and nobody is called, because most often
//! the thread is about to await that very task and runs it itself. But the thread belongs to the
//! user, whose future may block it. And a worker whose turns are short calls nobody for a few tasks,
//! which it is done with sooner than somebody who sleeps could come for them; but one of those turns
//! may be a long one. So while any guest is polling its future, or any worker keeps tasks so, one idle
//! worker sleeps in naps, of 50 microseconds at first and 1.6 milliseconds at most, and looks whether
//! something was left.

use std::time::Duration;

use crate::executor::core::Core;
use crate::executor::looks::CALL;
use crate::executor::shared::Shared;
use crate::executor::stats::WorkerStats;
use crate::sync::atomic::{fence, AtomicBool, AtomicUsize, Ordering};
use crate::sync::spin;

/// How often an idle worker looks whether the guests have gone to sleep before it watches over them.
const PATIENCE: u32 = if cfg!(kamon_loom) { 1 } else { 200 };

/// How many threads may keep tasks to themselves, and whether a worker watches over them.
pub(crate) struct Watch {
    /// Guests, and workers above them: most guests are about to sleep when a worker runs out of work.
    keepers: AtomicUsize,
    watched: AtomicBool,
}

pub(super) const GUEST: usize = 1;
pub(super) const WORKER: usize = 1 << 16;

impl Watch {
    pub(crate) fn new() -> Watch {
        Watch {
            keepers: AtomicUsize::new(0),
            watched: AtomicBool::new(false),
        }
    }

    /// A thread may keep tasks to itself from now on.
    pub(super) fn join(&self, counts: usize) {
        self.keepers.fetch_add(counts, Ordering::Relaxed);
        // Ordering: see `is_watched`.
        fence(Ordering::SeqCst);
    }

    /// It keeps none any more.
    pub(super) fn leave(&self, counts: usize) {
        self.keepers.fetch_sub(counts, Ordering::Relaxed);
    }

    /// Whether somebody watches. Asked after a SeqCst fence that follows whatever is to be watched over;
    /// if nobody does, somebody has to be called.
    pub(crate) fn is_watched(&self) -> bool {
        // Ordering: the fence pairs with the one in `Watching::drop`: a watcher that leaves finds
        // what was pushed, and who keeps tasks, or is seen to be gone.
        self.watched.load(Ordering::Relaxed)
    }

    /// A worker that found nothing asks whether it should watch.
    pub(crate) fn begin(&self) -> Option<Watching<'_>> {
        let mut patience = PATIENCE;
        loop {
            match self.keepers.load(Ordering::Relaxed) {
                0 => return None,
                guests if guests < WORKER && patience > 0 => patience -= 1,
                _ => break,
            }
            spin();
        }
        // Ordering: acquire and release so that one watch follows the other.
        if self.watched.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(Watching { watch: self })
    }

    /// A worker that found nothing counts as asleep from `park` on, which is told whether it watches. It asks
    /// before, so that who pushes then finds that somebody does; and if it need not, once more after, since who
    /// did may have left meanwhile, and have found nobody to call.
    pub(crate) fn lie_down(&self, park: impl FnOnce(bool)) -> Option<Watching<'_>> {
        let watching = self.begin();
        park(watching.is_some());
        // Ordering: the fence in `Idle::park` pairs with the one in `Idle::worker_to_wake`: who leaves finds
        // a sleeper to call, or is seen to be gone.
        if watching.is_none() && self.keepers.load(Ordering::Relaxed) > 0 && !self.is_watched() {
            return self.begin();
        }
        watching
    }

    /// Whoever watches has looked and sleeps on. If there is no guest, and of the workers none has taken a
    /// turn meanwhile, it watches no longer: who queues something finds that nobody does. `kept` is asked
    /// a last time.
    pub(crate) fn go_on<'a>(
        &'a self,
        watching: Watching<'a>,
        is_quiet: bool,
        kept: impl FnOnce() -> bool,
    ) -> Option<Watching<'a>> {
        let keepers = self.keepers.load(Ordering::Relaxed);
        if keepers % WORKER > 0 || keepers > 0 && !is_quiet {
            return Some(watching);
        }
        if watching.leave(|| keepers == 0 || kept()) {
            self.begin()
        } else {
            None
        }
    }
}

/// What whoever watches has seen after a nap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Tasks are left lying: by a guest, or by a worker whose turns took longer than a call takes.
    LeftLying,
    /// The workers get on.
    Turns,
    /// None of them has taken a turn.
    Nothing,
}

/// Somebody watches as long as this is there.
pub(crate) struct Watching<'a> {
    watch: &'a Watch,
}

impl Watching<'_> {
    /// The watcher has something else to do. Returns whether another has to be called: what `left` finds was
    /// queued by somebody who may have relied on this one, and a guest may still do so, since it asks only once
    /// whether somebody watches.
    pub(crate) fn leave(self, left: impl FnOnce() -> bool) -> bool {
        let watch = self.watch;
        drop(self);
        watch.keepers.load(Ordering::Relaxed) % WORKER > 0 || left()
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        // Ordering: release; pairs with the swap in `begin`. A store would do: loom does not know that
        // it comes after a swap that found us here.
        self.watch.watched.swap(false, Ordering::AcqRel);
        // Ordering: see `is_watched`.
        fence(Ordering::SeqCst);
    }
}

impl Shared {
    /// The core's thread may keep tasks to itself from now on. Returns whether that is new.
    pub(crate) fn begins_to_keep(&self, core: &Core) -> bool {
        if self.may_keep(core) {
            return false;
        }
        // Ordering: written by its own thread; what others make of it, `notify_if_work_pending` says.
        self.remotes[core.index]
            .keeps
            .store(true, Ordering::Relaxed);
        self.watch.join(self.counts(core));
        true
    }

    /// It keeps none any more, and needs no watching until it does again.
    pub(crate) fn keeps_nothing(&self, core: &Core) {
        if self.may_keep(core) {
            // Ordering: as in `begins_to_keep`.
            self.remotes[core.index]
                .keeps
                .store(false, Ordering::Relaxed);
            self.watch.leave(self.counts(core));
        }
    }

    /// Whether this thread, whose core it is, may be keeping tasks to itself.
    pub(crate) fn may_keep(&self, core: &Core) -> bool {
        self.remotes[core.index].keeps.load(Ordering::Relaxed)
    }

    fn counts(&self, core: &Core) -> usize {
        match self.is_guest(core.index) {
            true => GUEST,
            false => WORKER,
        }
    }

    /// Whether there is anything for which nobody may have been called.
    pub(crate) fn somebody_keeps_tasks(&self) -> bool {
        let mut workers = self.workers().iter();
        self.guests_have_work() || workers.any(|worker| worker.has_work())
    }

    /// Notes how many turns each worker has taken, before a nap of the one who watches.
    pub(crate) fn note_turns(&self) {
        for worker in self.workers() {
            let WorkerStats { polls, noted, .. } = &worker.stats;
            noted.store(polls.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Looks at what is kept, after a nap of so long.
    pub(crate) fn look_after(&self, nap: Duration) -> Seen {
        if self.guests_have_work() {
            return Seen::LeftLying;
        }
        let mut seen = Seen::Nothing;
        for worker in self.workers() {
            let WorkerStats { polls, noted, .. } = &worker.stats;
            let noted = noted.load(Ordering::Relaxed);
            let turns = polls.load(Ordering::Relaxed).wrapping_sub(noted);
            let takes_long = u128::from(turns) * CALL.as_nanos() < nap.as_nanos();
            if takes_long && worker.has_work() {
                return Seen::LeftLying;
            }
            if turns > 0 {
                seen = Seen::Turns;
            }
        }
        seen
    }
}
