//! The pool: its queue, its count of threads, and its end.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::Weak;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::executor::blocking::config::{Around, BlockingConfig, BlockingStats};
use crate::executor::blocking::job::{ClosureFuture, Hold, Job};
use crate::executor::blocking::thread;
use crate::executor::burial::bury;
use crate::sync::thread::{self as system, JoinHandle as ThreadHandle};
use crate::sync::{Arc, Condvar, Mutex};
use crate::task::{self, coop, Hooks, JoinHandle, Keep, Link, Notified, RegistryKey, Scheduler};

/// A handle to a pool of threads that may block.
#[derive(Clone)]
pub(crate) struct BlockingPool {
    shared: Arc<Shared>,
}

impl BlockingPool {
    /// Makes a pool without a thread.
    ///
    /// `around` enters the runtime and calls what it is given, which is a thread's whole life.
    /// The pool lets go of it at shutdown, so it may own the runtime that owns the pool.
    pub(crate) fn new(config: BlockingConfig, around: Around) -> BlockingPool {
        let state = State {
            around: Some(around),
            ..State::default()
        };
        BlockingPool {
            shared: Arc::new_cyclic(|me: &Weak<Shared>| Shared {
                me: me.clone(),
                link: Link::new(me.as_ptr()),
                config,
                state: Mutex::new(state),
                work: Condvar::new(),
                ended: Condvar::new(),
            }),
        }
    }

    /// Runs a closure in `context` on one of the pool's threads.
    ///
    /// If the pool is shut down, the closure is dropped and its handle says that it was cancelled.
    ///
    /// # Panics
    ///
    /// If there is no thread and the system does not give one.
    #[track_caller]
    pub(crate) fn spawn<F, R>(
        &self,
        closure: F,
        context: Context,
        location: &'static Location<'static>,
    ) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let hooked = self.shared.config.hooks.any();
        // No budget: nobody polls a closure again if it runs out of it.
        let future = coop::unconstrained(ClosureFuture::new(closure));
        // SAFETY: closure and result are `Send` and borrow nothing. For the scheduler see
        // `Shared`: whoever has the task has an `Arc` of it.
        let (task, handle) =
            unsafe { task::allocate(future, context, &self.shared.link, location, hooked) };
        if hooked {
            // SAFETY: nobody else can know the task yet, so the right to its Context is ours.
            let meta = unsafe { task.metadata().meta() };
            self.shared.config.hooks.spawned(&meta);
        }
        let hold = Hold::new(self.shared.config.timers.clone());
        if let Err(error) = self.shared.submit(Job::Closure(task, hold)) {
            panic!("OS can't spawn worker thread: {error}");
        }
        handle
    }

    /// Runs a long job on one of the pool's threads, at once and whatever the limit of threads.
    ///
    /// # Errors
    ///
    /// If there is no idle thread and the system does not give another one, or if the pool is
    /// shut down. The job is dropped then.
    pub(crate) fn spawn_thread(&self, job: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        self.shared.submit(Job::Long(job))
    }

    /// Refuses new jobs, cancels the closures that were not given to a thread, and waits until the
    /// threads have ended: for ever, or for a time. Returns whether they have.
    ///
    /// Called on one of the pool's own threads, it does not wait for that one.
    pub(crate) fn shutdown(&self, timeout: Option<Duration>) -> bool {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (waiting, around) = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            self.shared.work.notify_all();
            let promised = state.promised_closures();
            (state.closures.split_off(promised), state.around.take())
        };
        drop(around);
        for (task, hold) in waiting {
            bury(task);
            drop(hold);
        }

        if !self.shared.wait_for_threads(deadline) {
            return false;
        }
        let ended: Vec<ThreadHandle<()>> = {
            let mut state = self.shared.state.lock();
            let departed = state.departed.take();
            std::mem::take(&mut state.handles)
                .into_values()
                .chain(departed)
                .collect()
        };
        let this_thread = system::current().id();
        for thread in ended {
            if thread.thread().id() != this_thread {
                // It has counted itself out. Its panics, if any, were contained.
                let _ = thread.join();
            }
        }
        true
    }

    /// How many threads there are, how many have nothing to do, how many closures wait.
    pub(crate) fn stats(&self) -> BlockingStats {
        let state = self.shared.state.lock();
        BlockingStats {
            threads: state.threads,
            idle: state.idle,
            queued: state.closures.len(),
        }
    }

    /// Runs one queued job on the calling thread, for models that drive a pool without threads
    /// by hand. Returns whether there was one.
    #[cfg(any(test, kamon_loom))]
    #[allow(dead_code)]
    pub(crate) fn run_one(&self) -> bool {
        let job = self.shared.state.lock().next_job();
        job.map(Job::run).is_some()
    }
}

/// What the threads and the handles of a pool share.
///
/// It is the scheduler of its tasks, and stays as long as one of them has its closure, although
/// it does not count them: a task is in the hands of a thread, or of `spawn` or `shutdown`, each
/// of which holds an `Arc`; or it waits in the queue, and then some thread is there that has not
/// found the queue empty yet.
pub(super) struct Shared {
    me: Weak<Shared>,
    link: Link,
    pub(super) config: BlockingConfig,
    pub(super) state: Mutex<State>,
    /// Signals idle threads: a call, or the end.
    pub(super) work: Condvar,
    /// Signals who waits for the threads to end.
    pub(super) ended: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) closed: bool,
    /// Closures that no thread has begun.
    closures: VecDeque<(Notified, Hold)>,
    /// Long jobs that were given to a thread which has not come for them yet.
    urgent: VecDeque<Box<dyn FnOnce() + Send>>,
    /// Threads that come for jobs.
    pub(super) threads: usize,
    /// Those of them that were started and have not come yet.
    pub(super) starting: usize,
    /// Threads that have not counted themselves out.
    pub(super) alive: usize,
    /// Threads that wait for a call, without those that were called.
    pub(super) idle: usize,
    /// Calls that no thread has answered.
    pub(super) called: usize,
    /// Long jobs that were given to a thread and have not ended.
    pub(super) long: usize,
    next_number: u64,
    /// To join the threads, by number.
    pub(super) handles: BTreeMap<u64, ThreadHandle<()>>,
    /// The thread that left last, of its own accord. The next one to leave joins it.
    pub(super) departed: Option<ThreadHandle<()>>,
    around: Option<Around>,
}

impl Shared {
    /// Queues a job and sees to it that a thread comes for it.
    fn submit(self: &Arc<Self>, job: Job) -> io::Result<()> {
        let long = job.is_long();
        let mut state = self.state.lock();
        let mut name = None;
        while name.is_none() && self.needs_thread(&state, long) {
            // Somebody else's function, which may ask how many threads there are: not under the lock.
            drop(state);
            name = Some(thread::name(&self.config));
            state = self.state.lock();
        }
        let (refused, result) = match (state.closed, job) {
            // The handle tells.
            (true, job @ Job::Closure(..)) => (Some(job), Ok(())),
            (true, job) => (Some(job), Err(io::Error::other("the runtime is shut down"))),
            (false, job) => {
                state.push(job);
                match self.call_thread(&mut state, long, name) {
                    Ok(()) => (None, Ok(())),
                    Err(error) => (state.take_back(long), Err(error)),
                }
            }
        };
        drop(state);
        // Somebody else's destructors: not under the lock.
        match refused {
            Some(Job::Closure(task, _hold)) => bury(task),
            other => drop(other),
        }
        result
    }

    /// Whether a job that comes now needs a thread that is not there, and may have it.
    fn needs_thread(&self, state: &State, long: bool) -> bool {
        let within_limit = long || state.short_threads() < self.config.max_threads;
        !state.closed && state.idle == 0 && within_limit
    }

    /// Calls an idle thread, or starts one if there may be another. That one needs a name.
    fn call_thread(
        self: &Arc<Self>,
        state: &mut State,
        long: bool,
        name: Option<String>,
    ) -> io::Result<()> {
        if state.idle > 0 {
            state.idle -= 1;
            state.called += 1;
            self.work.notify_one();
            return Ok(());
        }
        if !long && state.short_threads() >= self.config.max_threads {
            return Ok(());
        }
        let (Some(around), Some(name)) = (state.around.clone(), name) else {
            return Ok(());
        };
        let number = state.next_number;
        match thread::start(self.clone(), number, name, around) {
            Ok(handle) => {
                state.next_number += 1;
                state.threads += 1;
                state.starting += 1;
                state.alive += 1;
                state.handles.insert(number, handle);
                Ok(())
            }
            // The system is short of threads for the moment, and there are some that will come.
            Err(error)
                if !long
                    && error.kind() == io::ErrorKind::WouldBlock
                    && state.short_threads() > 0 =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until no thread but the caller's own is left.
    fn wait_for_threads(&self, deadline: Option<Instant>) -> bool {
        let own = usize::from(thread::is_of(self));
        let mut state = self.state.lock();
        while state.alive > own {
            state = match deadline {
                Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                    Some(left) if !left.is_zero() => self.ended.wait_timeout(state, left),
                    _ => return false,
                },
                // No limit, or one that the clock does not reach.
                None => self.ended.wait(state),
            };
        }
        true
    }
}

impl State {
    fn push(&mut self, job: Job) {
        match job {
            Job::Closure(task, hold) => self.closures.push_back((task, hold)),
            Job::Long(run) => {
                self.long += 1;
                self.urgent.push_back(run);
            }
        }
    }

    /// Undoes a `push` under the same lock.
    fn take_back(&mut self, long: bool) -> Option<Job> {
        if long {
            self.long -= 1;
            self.urgent.pop_back().map(Job::Long)
        } else {
            let last = self.closures.pop_back();
            last.map(|(task, hold)| Job::Closure(task, hold))
        }
    }

    /// The next thing to do: long jobs first, they were promised a thread at once.
    pub(super) fn next_job(&mut self) -> Option<Job> {
        if let Some(run) = self.urgent.pop_front() {
            return Some(Job::Long(run));
        }
        let (task, hold) = self.closures.pop_front()?;
        Some(Job::Closure(task, hold))
    }

    /// How many of the closures a thread is on its way for, idle before or new.
    fn promised_closures(&self) -> usize {
        let coming = (self.called + self.starting).saturating_sub(self.urgent.len());
        coming.min(self.closures.len())
    }

    /// The threads that count against the limit.
    pub(super) fn short_threads(&self) -> usize {
        // A long job may have been queued for a thread that is not counted yet.
        self.threads.saturating_sub(self.long)
    }
}

impl Scheduler for Shared {
    fn schedule(&self, task: Notified, _yielded: bool) {
        // Nothing wakes a task that is queued until its only poll. If something did, ending it
        // is all that could be done for it.
        bury(task);
    }

    unsafe fn bind(&self, _raw: NonNull<()>) -> Option<RegistryKey> {
        // Never pending.
        None
    }

    fn unbind(&self, _key: RegistryKey) -> Option<Keep> {
        None
    }

    fn hooks(&self) -> &Hooks {
        &self.config.hooks
    }

    fn finished(&self) {}

    fn keep(&self) -> Option<Keep> {
        let keep = self.me.upgrade()?;
        Some(keep)
    }
}
