//! How many tasks a runtime has had, and how many it has.
//!
//! Counting them in one atomic would make every spawn and every end of a task meet at one cache
//! line. Instead each worker counts what it spawns and what ends on it in a line of its own, and
//! the other threads each in their part of a [`Count`]: all of them in plain stores. Nothing but
//! metrics depends on the sums.

use crossbeam_utils::CachePadded;

use crate::sync::statics::{AtomicU64, Ordering};
use crate::sync::Count;

/// The tasks of one runtime. A worker counts under its index, which only one thread has at a time.
pub(crate) struct Census {
    workers: Box<[CachePadded<Counts>]>,
    others: Others,
}

#[derive(Default)]
struct Counts {
    spawned: AtomicU64,
    finished: AtomicU64,
}

#[derive(Default)]
struct Others {
    spawned: Count,
    finished: Count,
}

impl Census {
    pub(crate) fn new(workers: usize) -> Census {
        Census {
            workers: (0..workers).map(|_| CachePadded::default()).collect(),
            others: Others::default(),
        }
    }

    /// Counts a task in.
    #[inline(always)]
    pub(crate) fn spawned_one(&self, worker: Option<usize>) {
        match worker {
            Some(index) => bump(&self.workers[index].spawned),
            None => self.others.spawned.one_more(),
        }
    }

    /// Counts a task out.
    #[inline]
    pub(crate) fn finished_one(&self, worker: Option<usize>) {
        match worker {
            Some(index) => bump(&self.workers[index].finished),
            None => self.others.finished.one_more(),
        }
    }

    /// The number of tasks whose future is there.
    pub(crate) fn alive(&self) -> usize {
        // A task is counted in before it is counted out, so this order never sees fewer spawned.
        let finished = self.sum(|counts| &counts.finished, &self.others.finished);
        let spawned = self.spawned();
        spawned.saturating_sub(finished) as usize
    }

    /// The number of tasks that were ever spawned.
    pub(crate) fn spawned(&self) -> u64 {
        self.sum(|counts| &counts.spawned, &self.others.spawned)
    }

    fn sum(&self, of_worker: impl Fn(&Counts) -> &AtomicU64, others: &Count) -> u64 {
        self.workers.iter().fold(others.read(), |sum, counts| {
            sum.wrapping_add(of_worker(counts).load(Ordering::Relaxed))
        })
    }
}

/// Adds one to a counter that has only one writer.
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
    fn tasks_are_counted_wherever_they_begin_and_end() {
        let census = Census::new(2);
        for worker in [Some(0), Some(0), None] {
            census.spawned_one(worker);
        }
        assert_eq!((census.alive(), census.spawned()), (3, 3));
        census.finished_one(Some(1));
        census.finished_one(None);
        assert_eq!((census.alive(), census.spawned()), (1, 3));
        census.finished_one(Some(0));
        assert_eq!((census.alive(), census.spawned()), (0, 3));
    }

    #[test]
    fn what_threads_have_counted_outlives_them() {
        let census = Census::new(0);
        for _ in 0..100 {
            // Joined, since ThreadSanitizer does not see how a scope waits for its threads.
            std::thread::scope(|scope| scope.spawn(|| census.spawned_one(None)).join()).unwrap();
        }
        census.finished_one(None);
        assert_eq!((census.alive(), census.spawned()), (99, 100));
    }
}
