//! How many tasks a runtime has, and so how long its memory must stay.
//!
//! A task calls its scheduler for as long as its future is there, also after the runtime was
//! shut down, when some other thread is just about to schedule it. So the tasks, together, own
//! one reference to the runtime's shared state. Counting them in one atomic would make every
//! spawn and every end of a task meet at one cache line; instead each worker counts what it
//! spawns and what ends on it, in plain stores to a line of its own, and the two never meet
//! until the workers are gone. Then the sum moves into the one counter that foreign threads have
//! used all along, and whoever brings that to zero is the last.

use crossbeam_utils::CachePadded;

use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::statics::AtomicU64;

/// The tasks that are alive.
pub(crate) struct Census {
    workers: Box<[CachePadded<Counts>]>,
    others: CachePadded<Others>,
}

/// What all other threads count, in one line: a spawn from afar touches both.
struct Others {
    /// Tasks that are alive, plus [`BIAS`] until [`Census::seal`].
    rest: AtomicUsize,
    /// Tasks that were ever spawned.
    spawned: AtomicU64,
}

/// What one worker counted. Only that worker writes.
#[derive(Default)]
struct Counts {
    spawned: AtomicU64,
    finished: AtomicU64,
}

/// Keeps the counter of foreign threads away from zero while there are workers that count too.
const BIAS: usize = usize::MAX / 2 + 1;

/// Whether a task is the first one to need the runtime's memory.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entering {
    /// The tasks have a reference to the runtime.
    Others,
    /// They have given it back, and need another one: somebody spawns through a handle although
    /// the runtime has ended.
    First,
}

/// Whether a task was the last one to need the runtime's memory.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Others are still there.
    Others,
    /// It was the last: the tasks' reference to the runtime goes with it.
    Last,
}

impl Census {
    pub(crate) fn new(workers: usize) -> Census {
        Census {
            workers: (0..workers).map(|_| CachePadded::default()).collect(),
            others: CachePadded::new(Others {
                rest: AtomicUsize::new(BIAS),
                spawned: AtomicU64::new(0),
            }),
        }
    }

    /// Counts a new task, on worker `index` if it is one that calls.
    #[inline]
    pub(crate) fn enter(&self, worker: Option<usize>) -> Entering {
        match worker {
            Some(index) => {
                bump(&self.workers[index].spawned);
                Entering::Others
            }
            None => {
                self.others.spawned.fetch_add(1, Ordering::Relaxed);
                // Relaxed: whoever spawns holds the runtime for longer than this, so the memory
                // does not depend on the count here.
                match self.others.rest.fetch_add(1, Ordering::Relaxed) {
                    0 => Entering::First,
                    _ => Entering::Others,
                }
            }
        }
    }

    /// Counts a task whose future is gone.
    #[inline]
    pub(crate) fn leave(&self, worker: Option<usize>) -> Leaving {
        match worker {
            // A worker holds the runtime, so this task is not what keeps it.
            Some(index) => {
                bump(&self.workers[index].finished);
                Leaving::Others
            }
            // Ordering: release what the task did to the runtime, acquire what the others did,
            // before the last one frees it. Pairs with itself and with `seal`.
            None => Self::verdict(
                self.others
                    .rest
                    .fetch_sub(1, Ordering::AcqRel)
                    .wrapping_sub(1),
            ),
        }
    }

    /// Moves the workers' counts to the common counter. Called once, when no worker will count
    /// again.
    pub(crate) fn seal(&self) -> Leaving {
        let moved = self.on_workers().wrapping_sub(BIAS);
        // Ordering: as in `leave`.
        Self::verdict(
            self.others
                .rest
                .fetch_add(moved, Ordering::AcqRel)
                .wrapping_add(moved),
        )
    }

    /// The number of tasks alive; exact when nothing is going on.
    pub(crate) fn alive(&self) -> usize {
        let rest = self.others.rest.load(Ordering::Relaxed);
        let alive = match rest.checked_sub(BIAS / 2) {
            // Not sealed yet.
            Some(_) => self.on_workers().wrapping_add(rest.wrapping_sub(BIAS)),
            None => rest,
        };
        // Counts read one after the other may be off by tasks that ended in between.
        if alive > BIAS / 2 {
            0
        } else {
            alive
        }
    }

    /// The number of tasks ever spawned.
    pub(crate) fn spawned(&self) -> u64 {
        let on_workers: u64 = self
            .workers
            .iter()
            .map(|worker| worker.spawned.load(Ordering::Relaxed))
            .sum();
        on_workers + self.others.spawned.load(Ordering::Relaxed)
    }

    fn on_workers(&self) -> usize {
        self.workers.iter().fold(0usize, |sum, worker| {
            let finished = worker.finished.load(Ordering::Relaxed) as usize;
            let spawned = worker.spawned.load(Ordering::Relaxed) as usize;
            sum.wrapping_add(spawned).wrapping_sub(finished)
        })
    }

    fn verdict(left: usize) -> Leaving {
        if left == 0 {
            Leaving::Last
        } else {
            Leaving::Others
        }
    }
}

/// Adds one to a counter that only this thread writes: no read-modify-write needed.
#[inline(always)]
pub(crate) fn bump(counter: &AtomicU64) {
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_task_is_told_whoever_counts() {
        let census = Census::new(2);
        for worker in [Some(0), Some(0), None] {
            assert_eq!(census.enter(worker), Entering::Others);
        }
        assert_eq!((census.alive(), census.spawned()), (3, 3));
        // Spawned on one worker, finished on another or on no worker at all.
        assert_eq!(census.leave(Some(1)), Leaving::Others);
        assert_eq!(census.alive(), 2);
        assert_eq!(census.seal(), Leaving::Others);
        assert_eq!(census.alive(), 2);
        assert_eq!(census.leave(None), Leaving::Others);
        assert_eq!(census.leave(None), Leaving::Last);
    }

    #[test]
    fn sealing_without_tasks_is_the_end() {
        let census = Census::new(1);
        assert_eq!(census.enter(None), Entering::Others);
        assert_eq!(census.leave(Some(0)), Leaving::Others);
        assert_eq!(census.alive(), 0);
        assert_eq!(census.seal(), Leaving::Last);
    }

    #[test]
    fn after_the_end_each_first_task_brings_a_last_one() {
        let census = Census::new(1);
        assert_eq!(census.seal(), Leaving::Last);
        for _ in 0..2 {
            assert_eq!(census.enter(None), Entering::First);
            assert_eq!(census.enter(None), Entering::Others);
            assert_eq!(census.leave(None), Leaving::Others);
            assert_eq!(census.leave(None), Leaving::Last);
        }
    }
}
