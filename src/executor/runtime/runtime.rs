//! Owning a runtime.

use std::any::Any;
use std::future::Future;
use std::io;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use crate::context::slot;
use crate::executor::block_on::block_on;
use crate::executor::burial::Aside;
use crate::executor::enter::{is_polling, EnterGuard, Entrance, Polling};
use crate::executor::runtime::{Builder, Handle, RuntimeMetrics, WeakMetrics};
use crate::executor::spawn::spawn_blocking_on;
use crate::sync::thread::JoinHandle as ThreadHandle;
use crate::task::JoinHandle;

/// A runtime: worker threads, a blocking pool, timers and a driver.
///
/// Dropping it shuts it down: every future is dropped, in its own Context, and the threads end.
/// The drop waits for tasks to reach their next `.await` and for blocking closures to return;
/// [`shutdown_timeout`](Self::shutdown_timeout) and
/// [`shutdown_background`](Self::shutdown_background) do not. None of them waits for threads that are
/// not the runtime's: one that is about to wake a task drops the task's future itself, and may come
/// to it a moment later.
#[derive(Debug)]
pub struct Runtime {
    /// Keeps the runtime's numbers among the metrics. Asks for the last time as it goes, so before
    /// the handle.
    _observed: Box<dyn Any + Send + Sync>,
    handle: Handle,
    threads: Vec<ThreadHandle<()>>,
    down: bool,
}

/// How long a shutdown waits.
#[derive(Clone, Copy, Debug)]
enum Patience {
    Unlimited,
    Until(Instant),
    None,
}

impl Patience {
    fn left(self) -> Option<Duration> {
        match self {
            Patience::Unlimited => None,
            Patience::Until(instant) => Some(instant.saturating_duration_since(Instant::now())),
            Patience::None => Some(Duration::ZERO),
        }
    }
}

impl Runtime {
    /// Makes a multi-thread runtime with the defaults of
    /// [`Builder::new_multi_thread`](crate::runtime::Builder::new_multi_thread).
    ///
    /// # Errors
    ///
    /// When the system refuses what the runtime needs.
    ///
    /// # Examples
    ///
    /// ```
    /// let runtime = kamon::runtime::Runtime::new()?;
    /// assert_eq!(runtime.block_on(async { 1 }), 1);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    pub(crate) fn from_parts(handle: Handle, threads: Vec<ThreadHandle<()>>) -> Runtime {
        let metrics = WeakMetrics::new(handle.shared());
        Runtime {
            _observed: crate::observe_runtime(handle.shared().config.name.as_deref(), &metrics),
            handle,
            threads,
            down: false,
        }
    }

    /// Returns a handle to the runtime, which may be cloned and sent to other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a future as a task that inherits the current Context.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle
            .shared()
            .spawn(future, slot::capture(), Location::caller())
    }

    /// Runs a closure that blocks on the runtime's blocking pool, in the current Context.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_blocking_on(self.handle.shared(), f, Location::caller())
    }

    /// Runs a future on this thread until it is done, in the current Context.
    ///
    /// On a current-thread runtime its tasks run here, too. On a multi-thread runtime this thread runs
    /// the tasks that the future waits for, and others while it awaits one and every worker is busy. Such a
    /// task has this thread's own stack, and while it blocks the thread the future does not go on: a timeout
    /// around it is late, and if it waits, blocking, for what the future does next, it waits for ever.
    /// [`spawn_blocking`](Self::spawn_blocking) is for what blocks. Where
    /// [`thread_stack_size`](Builder::thread_stack_size) or
    /// [`on_thread_start`](Builder::on_thread_start) was set, all tasks of a multi-thread runtime
    /// run on its workers.
    ///
    /// # Panics
    ///
    /// If called from a task or from within another `block_on`. Panics of the future come
    /// through. It also panics if it has to wait and a foreign waker has panicked inside of tokio's event loop,
    /// which is the end of the runtime; and on a current-thread runtime, if it has to wait in a task or a
    /// `block_on` of tokio's, which is not.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on(self.handle.shared(), Polling::Yes, future)
    }

    /// Makes this the current runtime of the thread until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Returns the runtime's numbers.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Shuts the runtime down and waits for at most `duration` for its threads to end.
    ///
    /// # Panics
    ///
    /// If called from a task, where the thread must not be blocked, with a duration that is not
    /// zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = kamon::runtime::Runtime::new()?;
    /// runtime.spawn(std::future::pending::<()>());
    /// runtime.shutdown_timeout(Duration::from_secs(1));
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn shutdown_timeout(mut self, duration: Duration) {
        if duration.is_zero() {
            return self.shut_down(Patience::None);
        }
        // A time out of reach is no limit.
        let patience = match Instant::now().checked_add(duration) {
            Some(instant) => Patience::Until(instant),
            None => Patience::Unlimited,
        };
        self.shut_down_where_allowed(patience);
    }

    /// Shuts the runtime down without waiting for anything. It may be called from a task.
    pub fn shutdown_background(mut self) {
        self.shut_down(Patience::None);
    }

    #[track_caller]
    fn shut_down_where_allowed(&mut self, patience: Patience) {
        if !is_polling() {
            self.shut_down(patience);
            return;
        }
        // Nothing is left half done: the runtime ends, but nobody waits for it here.
        self.shut_down(Patience::None);
        if !std::thread::panicking() {
            panic!(
                "Cannot drop a runtime in a context where blocking is not allowed. This happens \
                 when a runtime is dropped from within an asynchronous context."
            );
        }
    }

    fn shut_down(&mut self, patience: Patience) {
        if std::mem::replace(&mut self.down, true) {
            return;
        }
        let _aside = Aside::begin();
        let shared = self.handle.shared().clone();
        shared.close();
        let entrance = Entrance::new(&shared);
        let spare = std::mem::take(&mut shared.spare.lock().cores);
        for core in spare {
            shared.retire(core);
        }
        let retired = shared.running.wait_for_workers(patience.left());
        if retired {
            // What came in between the last worker's look and its end.
            shared.bury_tasks();
        }
        drop(entrance);
        if retired {
            // Before the threads and the blocking pool: what blocks there may wait for a timer or a socket.
            shared.end_outside(|| patience.left());
            let wait = !matches!(patience, Patience::None);
            if wait && shared.running.wait_for_threads(patience.left()) {
                for thread in self.threads.drain(..) {
                    // A worker contains every panic; its thread ends well.
                    let _ = thread.join();
                }
            }
        }
        let entrance = Entrance::new(&shared);
        shared.blocking.shutdown(patience.left());
        drop(entrance);
    }
}

impl UnwindSafe for Runtime {}
impl RefUnwindSafe for Runtime {}

impl Drop for Runtime {
    #[track_caller]
    fn drop(&mut self) {
        if !self.down {
            self.shut_down_where_allowed(Patience::Unlimited);
        }
    }
}
