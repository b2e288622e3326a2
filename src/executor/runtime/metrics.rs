//! A runtime's numbers.

use std::sync::Weak;
use std::time::Duration;

use crate::context::{self, ContextStats};
use crate::executor::shared::{Remote, Shared};
use crate::sync::statics::Ordering;
use crate::sync::Arc;

/// What a runtime counts about itself, readable at any time from any thread.
///
/// Each number is exact for itself; two numbers read one after the other may belong to
/// different moments.
///
/// # Examples
///
/// ```
/// let runtime = kamon::runtime::Runtime::new()?;
/// runtime.block_on(async { kamon::spawn(async {}).await }).unwrap();
/// assert_eq!(runtime.metrics().spawned_tasks_count(), 1);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct RuntimeMetrics {
    shared: Arc<Shared>,
}

impl RuntimeMetrics {
    pub(crate) fn new(shared: Arc<Shared>) -> RuntimeMetrics {
        RuntimeMetrics { shared }
    }

    /// Returns the number of workers; one for a current-thread runtime.
    pub fn num_workers(&self) -> usize {
        self.shared.config.workers.max(1)
    }

    /// Returns the number of tasks whose future is there.
    pub fn num_alive_tasks(&self) -> usize {
        self.shared.census.alive()
    }

    /// Returns the number of tasks spawned so far.
    pub fn spawned_tasks_count(&self) -> u64 {
        self.shared.census.spawned()
    }

    /// Returns the number of tasks in the queues that threads outside the workers push to: the one that
    /// they share, and those that threads in `block_on` have besides.
    pub fn global_queue_depth(&self) -> usize {
        let guests = self.shared.guests().iter();
        self.shared.injector.len() + guests.map(|guest| guest.queued()).sum::<usize>()
    }

    /// Returns the number of tasks in a worker's own queue.
    ///
    /// # Panics
    ///
    /// If there is no such worker, as do all functions here that take one.
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        self.worker(worker).queued()
    }

    /// Returns how many turns a worker has given to tasks.
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.worker(worker).stats.polls.load(Ordering::Relaxed)
    }

    /// Returns how many times a worker has stolen from another.
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.worker(worker).stats.steals.load(Ordering::Relaxed)
    }

    /// Returns how many times a worker has gone to sleep.
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker(worker).stats.parks.load(Ordering::Relaxed)
    }

    /// Returns how many times a worker has gone to sleep or gone back to work: odd while it
    /// sleeps.
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        let stats = &self.worker(worker).stats;
        stats.rests.load(Ordering::Relaxed) + stats.unparks.load(Ordering::Relaxed)
    }

    /// Returns for how long a worker was at work, without the stretch it is in now.
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.worker(worker).stats.busy()
    }

    fn worker(&self, index: usize) -> &Remote {
        assert!(index < self.num_workers(), "there is no worker {index}");
        &self.shared.remotes[index]
    }

    /// Returns the number of threads in the blocking pool.
    pub fn num_blocking_threads(&self) -> usize {
        self.shared.blocking.stats().threads
    }

    /// Returns the number of threads in the blocking pool that have nothing to do.
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.shared.blocking.stats().idle
    }

    /// Returns the number of closures that wait for a thread of the blocking pool.
    pub fn blocking_queue_depth(&self) -> usize {
        self.shared.blocking.stats().queued
    }

    /// Returns the counters of the Context's repairs (`kamon.context.*`): of the whole process,
    /// since a Context belongs to no runtime.
    pub fn context(&self) -> ContextStats {
        context::stats()
    }
}

/// The same for whoever must not keep the runtime.
#[derive(Clone)]
pub(crate) struct WeakMetrics {
    shared: Weak<Shared>,
}

impl WeakMetrics {
    pub(crate) fn new(shared: &Arc<Shared>) -> WeakMetrics {
        let shared = Arc::downgrade(shared);
        WeakMetrics { shared }
    }

    /// The numbers, if anything of the runtime is still there.
    pub(crate) fn upgrade(&self) -> Option<RuntimeMetrics> {
        self.shared.upgrade().map(RuntimeMetrics::new)
    }
}

impl std::fmt::Debug for RuntimeMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeMetrics")
            .field("num_workers", &self.num_workers())
            .field("num_alive_tasks", &self.num_alive_tasks())
            .finish_non_exhaustive()
    }
}
