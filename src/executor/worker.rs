//! A worker: takes a task, gives it a turn, and sleeps when there is none.

use std::cell::{Cell, UnsafeCell};
use std::ptr;
use std::time::{Duration, Instant};

use crate::executor::census::bump;
use crate::executor::core::{Core, OwnedCore};
use crate::executor::guest;
use crate::executor::idle::Parking;
use crate::executor::shared::Shared;
use crate::sync::{tls, Arc};
use crate::task::Notified;
use crate::time::ParkFor;

/// The thread's end of a worker, as the code that runs on this thread sees it.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    /// The core, until `block_in_place` hands it to another thread.
    owned: UnsafeCell<Option<OwnedCore>>,
    /// Points to the core while it is here.
    core: Cell<*const Core>,
    /// Whether this thread is inside the driver, where wakes have to end the waiting.
    driving: Cell<bool>,
    /// Since when it has been busy.
    busy_since: Cell<Option<Instant>>,
}

tls! {
    /// The worker that this thread is.
    static CURRENT: Cell<*const Worker> = Cell::new(ptr::null());
}

/// How often a task that was just woken may run next, ahead of the queue.
const MAX_LIFO_TURNS: u32 = 3;
/// For how long a worker sleeps at first while it watches over guests, and how often that doubles.
const FIRST_NAP: Duration = Duration::from_micros(50);
const NAP_DOUBLINGS: u32 = 5;
/// The shortest time that a driver can wait; shorter naps are taken outside of it.
const DRIVER_RESOLUTION: Duration = Duration::from_millis(1);
/// The most tasks that a worker takes out of the injector at once.
const INJECTOR_BATCH: usize = 32;

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, core: OwnedCore) -> Worker {
        Worker {
            shared,
            core: Cell::new(core.as_ptr()),
            owned: UnsafeCell::new(Some(core)),
            driving: Cell::new(false),
            busy_since: Cell::new(None),
        }
    }

    /// Makes this the thread's worker until the guard is dropped.
    pub(crate) fn enter(&self) -> Sitting<'_> {
        let previous = CURRENT.with(|current| current.replace(self));
        Sitting { worker: self, previous }
    }

    /// This thread's worker and core, if it is a worker of `shared`.
    #[inline(always)]
    pub(crate) fn current_of<'a>(shared: &Shared) -> Option<(&'a Worker, &'a Core)> {
        let worker = CURRENT.with(Cell::get);
        if worker.is_null() {
            return None;
        }
        // SAFETY: `Sitting` takes the pointer back before the worker goes. The references that
        // callers get do not outlive the turn they are in, at the end of which the worker is here.
        let worker = unsafe { &*worker };
        if !ptr::eq(&*worker.shared, shared) {
            return None;
        }
        worker.core().map(|core| (worker, core))
    }

    /// Whether this thread is a worker, whichever runtime's, that still has its core.
    pub(crate) fn with_current<R>(f: impl FnOnce(&Worker) -> R) -> Option<R> {
        let worker = CURRENT.with(Cell::get);
        // SAFETY: as in `current_of`.
        unsafe { worker.as_ref() }.map(f)
    }

    #[inline(always)]
    pub(crate) fn core(&self) -> Option<&Core> {
        // SAFETY: the pointer is null or points to the core that `owned` holds: it is set to null
        // before the core goes. A caller that gives the core away holds no reference to it.
        unsafe { self.core.get().as_ref() }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes the core away from a task's turn, so that another thread can go on as this worker.
    /// Only in a turn: everywhere else, this thread is about to use the core.
    pub(crate) fn give_up_core(&self) -> Option<OwnedCore> {
        crate::task::try_id()?;
        self.end_work();
        self.take_core()
    }

    /// Takes the core back that [`give_up_core`](Self::give_up_core) gave.
    pub(crate) fn take_back(&self, core: OwnedCore) {
        self.core.set(core.as_ptr());
        // SAFETY: only this thread touches the cell, and no reference into it is kept.
        unsafe { *self.owned.get() = Some(core) };
        self.begin_work();
    }

    /// Takes the core away from this thread.
    pub(crate) fn take_core(&self) -> Option<OwnedCore> {
        self.core.set(ptr::null());
        // SAFETY: only this thread touches the cell, and no reference into it is kept.
        unsafe { (*self.owned.get()).take() }
    }

    /// Queues a task that was spawned or woken on this thread.
    #[inline]
    pub(crate) fn schedule(&self, core: &Core, task: Notified, yielded: bool) {
        if self.shared.is_guest(core.index) {
            return guest::schedule(&self.shared, core, task, yielded);
        }
        // A current-thread runtime is first in, first out.
        let to_the_back = yielded || self.shared.config.workers == 0;
        let lifo_slot = &self.shared.remotes[core.index].lifo_slot;
        let push = if to_the_back { Some(task) } else { lifo_slot.replace(task) };
        if let Some(task) = push {
            core.queue.push(task);
            // Now there is more than this worker will do next.
            if self.shared.config.workers > 1 {
                self.shared.notify_one();
            }
        }
        if self.driving.get() {
            // The driver woke a task of ours: that is what we were waiting for.
            self.shared.driver.unpark(None);
        }
    }

    /// Takes turns until the runtime is closed or the core is gone.
    pub(crate) fn run(&self) {
        self.begin_work();
        while let Some(core) = self.core() {
            if self.shared.is_closed() {
                break;
            }
            match self.next_task(core) {
                Some(task) => {
                    let look = self.begin_turn(core);
                    // The core may move to another thread in here, so it is not used afterwards.
                    task.run();
                    if look {
                        self.look_outside();
                    }
                }
                None => self.rest(core),
            }
        }
        self.end_work();
    }

    /// What comes before a task's turn. Returns whether the outside world is due for a look
    /// after it.
    #[inline]
    pub(crate) fn begin_turn(&self, core: &Core) -> bool {
        if core.searching.replace(false) && self.shared.idle.found_work() {
            self.shared.notify_one();
        }
        let tick = core.tick.get().wrapping_add(1);
        core.tick.set(tick);
        bump(&self.shared.remotes[core.index].stats.polls);
        tick % self.shared.config.event_interval == 0
    }

    /// The next task, in this order: the injector now and then, so that it never starves; the
    /// task that was woken last; our own queue; the injector; other workers.
    #[inline]
    pub(crate) fn next_task(&self, core: &Core) -> Option<Notified> {
        if core.tick.get() % self.shared.config.global_queue_interval == 0 {
            if let Some(task) = self.shared.injector.pop() {
                return Some(task);
            }
        }
        self.next_lifo(core)
            .or_else(|| self.next_queued(core))
            .or_else(|| self.shared.remotes[core.index].lifo_slot.take())
            .or_else(|| self.next_injected(core))
            .or_else(|| self.steal(core))
    }

    #[inline]
    fn next_lifo(&self, core: &Core) -> Option<Notified> {
        let turns = core.lifo_turns.get();
        if turns >= MAX_LIFO_TURNS {
            return None;
        }
        let task = self.shared.remotes[core.index].lifo_slot.take()?;
        core.lifo_turns.set(turns + 1);
        Some(task)
    }

    #[inline]
    fn next_queued(&self, core: &Core) -> Option<Notified> {
        core.lifo_turns.set(0);
        core.queue.pop()
    }

    /// Takes a fair share of the injector.
    fn next_injected(&self, core: &Core) -> Option<Notified> {
        let injector = &self.shared.injector;
        if injector.is_empty() {
            return None;
        }
        let share = injector.len() / self.shared.config.workers.max(1) + 1;
        let first = injector.pop()?;
        for _ in 1..share.min(INJECTOR_BATCH) {
            match injector.pop() {
                Some(task) => core.queue.push(task),
                None => break,
            }
        }
        Some(first)
    }

    fn steal(&self, core: &Core) -> Option<Notified> {
        let remotes = &self.shared.remotes;
        if remotes.len() < 2 {
            return None;
        }
        if !core.searching.get() {
            if !self.shared.idle.start_searching() {
                return None;
            }
            core.searching.set(true);
        }
        let stats = &remotes[core.index].stats;
        let start = core.random.borrow_mut().usize(..remotes.len());
        let victims = (0..remotes.len())
            .map(|offset| (start + offset) % remotes.len())
            .filter(|&victim| victim != core.index);
        for victim in victims {
            if let Some(task) = remotes[victim].stealer.steal_into(&core.queue) {
                bump(&stats.steals);
                return Some(task);
            }
            if let Some(task) = remotes[victim].lifo_slot.take() {
                bump(&stats.steals);
                return Some(task);
            }
        }
        self.next_injected(core)
    }

    /// Looks at timers and the outside world without waiting.
    pub(crate) fn look_outside(&self) {
        self.shared.timers.turn();
        if let Some(_seat) = self.shared.seat.take_to_look() {
            self.shared.driver.poll();
        }
    }

    /// Sleeps until there is something to do.
    fn rest(&self, core: &Core) {
        let shared = &*self.shared;
        let index = core.index;
        let remote = &shared.remotes[index];
        let searching = core.searching.replace(false);
        if shared.idle.park(index, searching) == Parking::LookAgain {
            shared.notify_if_work_pending();
        }
        self.end_work();
        bump(&remote.stats.rests);
        loop {
            if shared.is_closed() || self.core().is_none() {
                break;
            }
            let watching = shared.watch.begin();
            self.sleep(core, watching.is_some().then(|| nap(core)));
            let left_behind = watching.is_some() && shared.guests_have_work();
            drop(watching);
            if !shared.idle.is_asleep(index) {
                // Somebody chose us, and counts on our searching.
                core.searching.set(true);
                break;
            }
            if left_behind || self.has_work(core) || shared.is_closed() {
                // The driver or a timer woke tasks of ours.
                if !shared.idle.get_up(index) {
                    core.searching.set(true);
                }
                if !core.queue.is_empty() && shared.config.workers > 1 {
                    shared.notify_one();
                }
                break;
            }
        }
        core.naps.set(0);
        bump(&remote.stats.unparks);
        self.begin_work();
    }

    /// Sleeps once, for at most `limit`: in the driver if its seat is free, else until called.
    pub(crate) fn sleep(&self, core: &Core, limit: Option<Duration>) {
        let shared = &*self.shared;
        let remote = &shared.remotes[core.index];
        shared.config.call(&shared.config.on_park);
        bump(&remote.stats.parks);
        if let Some(limit) = limit.filter(|&limit| limit < DRIVER_RESOLUTION) {
            self.look_outside();
            if !self.has_work(core) {
                remote.parker.park_for(Some(limit));
            }
            return shared.config.call(&shared.config.on_unpark);
        }
        match shared.seat.take_to_wait(&remote.parker) {
            Some(seat) => {
                // Read after the seat is taken: whoever arms an earlier deadline from here on
                // finds us there and calls.
                let timeout = match shared.timers.park_for() {
                    ParkFor::Forever => limit,
                    ParkFor::Timeout(timeout) => Some(limit.map_or(timeout, |l| l.min(timeout))),
                    ParkFor::Now => Some(Duration::ZERO),
                };
                self.driving.set(true);
                let interrupted = || self.has_work(core);
                remote.parker.park_driving(&*shared.driver, timeout, &interrupted);
                self.driving.set(false);
                drop(seat);
                shared.timers.turn();
            }
            None => remote.parker.park_for(limit),
        }
        shared.config.call(&shared.config.on_unpark);
    }

    /// Whether this worker's own queues hold anything.
    pub(crate) fn has_work(&self, core: &Core) -> bool {
        !self.shared.remotes[core.index].lifo_slot.is_empty() || !core.queue.is_empty()
    }

    pub(crate) fn begin_work(&self) {
        self.busy_since.set(Some(Instant::now()));
    }

    pub(crate) fn end_work(&self) {
        if let (Some(core), Some(since)) = (self.core(), self.busy_since.take()) {
            self.shared.remotes[core.index].stats.add_busy(since.elapsed());
        }
    }

    /// Ends the worker's existence, if it still has its core. The runtime is closed, and from
    /// here on what is woken on this thread takes the foreign path, which buries it.
    pub(crate) fn retire(&self) {
        if let Some(core) = self.take_core() {
            self.shared.retire(core);
        }
    }
}

/// Returns which of its runtime's workers this thread is, as the numbers in
/// [`RuntimeMetrics`](crate::runtime::RuntimeMetrics) count them, or `None` if it is none of them.
///
/// A thread that blocks on a current-thread runtime is its worker number 0 while it runs the
/// tasks; one that blocks on a multi-thread runtime is no worker.
///
/// # Examples
///
/// ```
/// use kamon::runtime::{worker_index, Builder};
///
/// let runtime = Builder::new_multi_thread().worker_threads(1).build()?;
/// assert_eq!(runtime.block_on(async { worker_index() }), None);
/// let task = runtime.spawn(async { worker_index() });
/// assert_eq!(runtime.block_on(task).unwrap(), Some(0));
/// # std::io::Result::Ok(())
/// ```
pub fn worker_index() -> Option<usize> {
    let index = |worker: &Worker| {
        let index = worker.core()?.index;
        (!worker.shared.is_guest(index)).then_some(index)
    };
    Worker::with_current(index).flatten()
}

/// For how long the worker sleeps next while it watches over guests.
fn nap(core: &Core) -> Duration {
    let naps = core.naps.get();
    core.naps.set(naps + 1);
    FIRST_NAP * (1 << naps.min(NAP_DOUBLINGS))
}

/// The thread is a worker as long as this is there.
pub(crate) struct Sitting<'a> {
    worker: &'a Worker,
    previous: *const Worker,
}

impl Drop for Sitting<'_> {
    fn drop(&mut self) {
        debug_assert!(CURRENT.with(|current| ptr::eq(current.get(), self.worker)));
        CURRENT.with(|current| current.set(self.previous));
    }
}
