//! The state that all threads of a runtime share, and how a task gets into a queue.

use std::panic::Location;
use std::ptr::NonNull;
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::context::Context;
use crate::executor::blocking::BlockingPool;
use crate::executor::burial::bury;
use crate::executor::census::Census;
use crate::executor::config::Config;
use crate::executor::core::OwnedCore;
use crate::executor::driver::Driver;
use crate::executor::enter::Entrance;
use crate::executor::idle::Idle;
use crate::executor::local::LocalHome;
use crate::executor::parker::Parker;
use crate::executor::running::Running;
use crate::executor::seat::Seat;
use crate::executor::stats::WorkerStats;
use crate::executor::watch::Watch;
use crate::executor::worker::Worker;
use crate::queue::{Injector, LifoSlot, Stealer};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{scaled, statics, Arc, Living, Mutex};
use crate::task::{Hooks, Keep, Leaving, Link, Notified, Registry, RegistryKey, Scheduler};
use crate::time::{Host, Timers};

/// A runtime.
pub(crate) struct Shared {
    /// Where this is, so that counts can be taken and given back through a plain `&self`.
    me: Weak<Shared>,
    link: Link,
    pub(crate) config: Config,
    pub(crate) injector: Injector<Notified>,
    /// One for each worker (or the only one of a current-thread runtime), then the guests'.
    pub(crate) remotes: Box<[CachePadded<Remote>]>,
    /// How many of those were ever in use: the workers' and the guests' that were lent before the others.
    used: statics::AtomicUsize,
    pub(crate) idle: Idle,
    pub(crate) registry: Registry,
    pub(crate) census: Census,
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) seat: Seat,
    pub(crate) timers: Arc<Timers>,
    pub(crate) blocking: BlockingPool,
    /// The set of local tasks that goes with the runtime, if it is a local one.
    pub(crate) local: OnceLock<LocalHome>,
    pub(crate) closed: AtomicBool,
    /// The cores that threads in `block_on` may borrow.
    pub(crate) spare: Mutex<Spare>,
    pub(crate) watch: Watch,
    pub(crate) running: Running,
    _living: Living,
}

/// The only core of a current-thread runtime, or the guests' cores of a multi-thread one; and the
/// threads that would like to have the only one.
#[derive(Default)]
pub(crate) struct Spare {
    pub(crate) cores: Vec<OwnedCore>,
    pub(crate) waiting: Vec<Arc<Parker>>,
}

/// The side of a worker that others see.
pub(crate) struct Remote {
    pub(crate) stealer: Stealer<Notified>,
    pub(crate) lifo_slot: LifoSlot<Notified>,
    pub(crate) parker: Arc<Parker>,
    /// Whether this one counts among those who may keep tasks to themselves (`executor::watch`).
    pub(crate) keeps: AtomicBool,
    pub(crate) stats: WorkerStats,
}

/// The parts that a runtime is put together from.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) cores: Vec<OwnedCore>,
    pub(crate) driver: Box<dyn Driver>,
    pub(crate) timers: Arc<Timers>,
    pub(crate) blocking: BlockingPool,
}

impl Remote {
    /// Whether there is anything in its queue or its slot.
    pub(crate) fn has_work(&self) -> bool {
        !self.stealer.is_empty() || !self.lifo_slot.is_empty()
    }

    /// How many tasks there are in its queue and its slot.
    pub(crate) fn queued(&self) -> usize {
        self.stealer.len() + usize::from(!self.lifo_slot.is_empty())
    }
}

impl Shared {
    /// Puts a runtime together; the caller starts its threads.
    pub(crate) fn new(parts: Parts) -> (Arc<Shared>, Vec<OwnedCore>) {
        let Parts {
            config,
            cores,
            driver,
            timers,
            blocking,
        } = parts;
        let workers = config.workers;
        let shared = Arc::new_cyclic(|me| Shared {
            me: me.clone(),
            link: Link::new(me.as_ptr()),
            injector: Injector::new(),
            remotes: cores
                .iter()
                .map(|core| {
                    CachePadded::new(Remote {
                        stealer: core.queue.stealer(),
                        lifo_slot: LifoSlot::new(),
                        parker: Arc::new(Parker::new()),
                        keeps: AtomicBool::new(false),
                        stats: WorkerStats::default(),
                    })
                })
                .collect(),
            used: statics::AtomicUsize::new(workers.max(1)),
            idle: Idle::new(workers),
            registry: Registry::new(scaled(cores.len() + 1)),
            census: Census::new(cores.len()),
            driver,
            seat: Seat::new(),
            timers,
            blocking,
            local: OnceLock::new(),
            closed: AtomicBool::new(false),
            spare: Mutex::new(Spare::default()),
            watch: Watch::new(),
            running: Running::new(),
            _living: Living::new("runtime"),
            config,
        });
        // The bound tasks' own reference; who is told `Leaving::Last` gives it back.
        std::mem::forget(shared.clone());
        (shared, cores)
    }

    /// Spawns a future and schedules it.
    pub(crate) fn spawn<F>(
        &self,
        future: F,
        context: Context,
        location: &'static Location<'static>,
    ) -> crate::task::JoinHandle<F::Output>
    where
        F: std::future::Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut worker = Worker::current_of(self);
        self.census.spawned_one(worker.map(|(_, core)| core.index));
        let hooked = self.config.hooked;
        // SAFETY: the task is in our hands or in our queues until it is bound, and from then on the
        // registry keeps `self`; future and output are `Send` and borrow nothing.
        let (task, handle) =
            unsafe { crate::task::allocate(future, context, &self.link, location, hooked) };
        if hooked {
            // SAFETY: nobody else can know the task yet, so the right to its Context is ours.
            self.config
                .task_hooks
                .spawned(&unsafe { task.metadata().meta() });
            // The hook may have given the worker away.
            worker = Worker::current_of(self);
        }
        match worker {
            Some((worker, core)) => worker.schedule(core, task, false),
            None => self.inject(task),
        }
        handle
    }

    /// Whether this index is not a worker's but a guest's.
    #[inline]
    pub(crate) fn is_guest(&self, index: usize) -> bool {
        index >= self.config.workers.max(1)
    }

    /// The sides that others see of whoever may have queued anything.
    #[inline]
    pub(crate) fn used(&self) -> &[CachePadded<Remote>] {
        // Ordering: who sees what a guest has queued sees that it is in use.
        &self.remotes[..self.used.load(Ordering::Relaxed)]
    }

    /// A core is about to be used.
    pub(crate) fn use_core(&self, index: usize) {
        // Ordering: as above.
        self.used.fetch_max(index + 1, Ordering::Relaxed);
    }

    /// The sides of the guests that others see.
    pub(crate) fn guests(&self) -> &[CachePadded<Remote>] {
        &self.remotes[self.config.workers.max(1)..]
    }

    /// The sides of the workers that others see.
    pub(crate) fn workers(&self) -> &[CachePadded<Remote>] {
        &self.remotes[..self.config.workers.max(1)]
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        // Ordering: acquire; pairs with the release in `close`.
        self.closed.load(Ordering::Acquire)
    }

    /// Begins the shutdown: nothing new gets in, and every thread learns of it.
    pub(crate) fn close(&self) {
        // Ordering: release; pairs with the acquire in `is_closed`.
        self.closed.store(true, Ordering::Release);
        self.injector.close();
        for remote in self.remotes.iter() {
            remote.parker.unpark(&*self.driver);
        }
        for parker in std::mem::take(&mut self.spare.lock().waiting) {
            parker.unpark(&*self.driver);
        }
    }

    /// Ends the runtime if its driver is broken: whoever waits for the outside world waits in vain.
    /// Called by whoever has been inside.
    ///
    /// # Panics
    ///
    /// On a current-thread runtime, whose `block_on` this is.
    pub(crate) fn end_if_broken(&self) {
        if !self.driver.is_broken() {
            return;
        }
        self.close();
        self.timers.shutdown();
        if self.config.workers == 0 {
            self.fail_broken();
        }
    }

    /// Ends a `block_on` of a runtime whose driver is broken: its future may wait for the outside world, too.
    pub(crate) fn fail_broken(&self) {
        assert!(
            !self.driver.is_broken(),
            "the runtime has ended because a waker panicked inside of its driver"
        );
    }

    /// Drops every task that is queued or waiting. The runtime is closed.
    pub(crate) fn bury_tasks(&self) {
        while let Some(task) = self.injector.pop() {
            bury(task);
        }
        let leaving = self.registry.close();
        // The caller has a reference of its own, so this one is not the last.
        drop(self.memory(leaving));
        while let Some(task) = self.injector.pop() {
            bury(task);
        }
    }

    /// Buries what a core has queued, and everything else that can be found. The runtime is closed.
    pub(crate) fn retire(&self, core: OwnedCore) {
        if let Some(task) = self.remotes[core.index].lifo_slot.take() {
            bury(task);
        }
        while let Some(task) = core.queue.pop() {
            bury(task);
        }
        // Guests learn of the end when their futures have been polled, which may take long.
        for guest in self.guests() {
            if let Some(task) = guest.lifo_slot.take() {
                bury(task);
            }
            while let Some(task) = guest
                .stealer
                .steal_into(&core.queue)
                .or_else(|| core.queue.pop())
            {
                bury(task);
            }
        }
        drop(core);
        self.bury_tasks();
    }

    /// The bound tasks' own reference, if the last of them has gone.
    fn memory(&self, leaving: Leaving) -> Option<Keep> {
        match leaving {
            Leaving::Others => None,
            // SAFETY: `Shared::new` forgot a reference, and the registry says `Last` once.
            Leaving::Last => Some(unsafe { Arc::from_raw(self.me.as_ptr()) }),
        }
    }

    /// Ends the timers and the driver. Whoever still waits for them is told: a closure of the blocking pool, or
    /// a task that blocks in place. Not before the workers have retired, since a task that is in its turn
    /// is to be cancelled and not to fail.
    pub(crate) fn end_outside(self: &Arc<Self>, left: impl Fn() -> Option<Duration>) {
        let entrance = Entrance::new(self);
        self.timers.shutdown();
        drop(entrance);
        if self.seat.close(left()) {
            self.driver.shutdown(left());
        }
    }
}

impl Scheduler for Shared {
    #[inline]
    fn schedule(&self, task: Notified, yielded: bool) {
        match Worker::current_of(self) {
            // A worker holds its runtime.
            Some((worker, core)) => worker.schedule(core, task, yielded),
            None => {
                // Once the task is queued it may end elsewhere and let go of the runtime, which
                // must stay until this call is over.
                let _keep = self.me.upgrade();
                self.inject(task);
            }
        }
    }

    unsafe fn bind(&self, raw: NonNull<()>) -> Option<RegistryKey> {
        // SAFETY: the contract is the same.
        unsafe { self.registry.bind(raw) }
    }

    fn unbind(&self, key: RegistryKey) -> Option<Keep> {
        self.memory(self.registry.unbind(key))
    }

    fn hooks(&self) -> &Hooks {
        &self.config.task_hooks
    }

    #[inline]
    fn finished(&self) {
        let worker = Worker::current_of(self);
        self.census.finished_one(worker.map(|(_, core)| core.index));
    }

    fn keep(&self) -> Option<Keep> {
        let keep = self.me.upgrade()?;
        Some(keep)
    }
}

impl Host for Shared {
    fn unpark(&self) {
        if let Some(parker) = self.seat.waiting() {
            parker.unpark(&*self.driver);
        }
    }

    fn launch(
        &self,
        context: Context,
        location: &'static Location<'static>,
        callback: Box<dyn FnOnce() + Send>,
    ) {
        drop(self.spawn(async move { callback() }, context, location));
    }
}
