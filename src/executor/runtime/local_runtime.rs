//! A runtime whose tasks need not be `Send`.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use crate::executor::local::LocalSet;
use crate::executor::runtime::{Builder, EnterGuard, Handle, Runtime, RuntimeMetrics};
use crate::task::JoinHandle;

/// A current-thread runtime with a [`LocalSet`](crate::task::LocalSet) of its own, so that
/// [`spawn_local`](crate::task::spawn_local) works everywhere inside of it.
///
/// It stays on the thread that it was made on. Its local tasks run while that thread is in
/// [`block_on`](Self::block_on), or in another one of this runtime, as all its tasks; what is not finished
/// then goes on in the next one. [`kamon::spawn`](crate::spawn) takes futures that are `Send`, here as everywhere.
///
/// Dropping it shuts it down: every future is dropped, in its own Context.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use kamon::runtime::LocalRuntime;
///
/// let runtime = LocalRuntime::new()?;
/// let shared = Rc::new(21);
/// let task = runtime.spawn_local(async move { *shared * 2 });
/// assert_eq!(runtime.block_on(task).unwrap(), 42);
/// # std::io::Result::Ok(())
/// ```
pub struct LocalRuntime {
    /// Goes first.
    local: Local,
    runtime: Runtime,
}

/// What a [`LocalRuntime`] may be told beyond what [`Builder`] says: nothing as yet.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LocalOptions {
    /// Leaves room for options that are neither `Send` nor `Sync`.
    _not_send: PhantomData<*mut ()>,
}

impl LocalRuntime {
    /// Makes a local runtime with the defaults of
    /// [`Builder::new_current_thread`](crate::runtime::Builder::new_current_thread).
    ///
    /// # Errors
    ///
    /// When the system refuses what the runtime needs.
    pub fn new() -> io::Result<LocalRuntime> {
        Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
    }

    pub(super) fn over(runtime: Runtime) -> LocalRuntime {
        let local = LocalSet::new();
        let shared = runtime.handle().shared();
        // The first and only call for this runtime.
        let _ = shared.local.set(local.home());
        let local = Local {
            set: local,
            handle: runtime.handle().clone(),
        };
        LocalRuntime { local, runtime }
    }

    /// Returns a handle to the runtime, which may be cloned and sent to other threads. Only tasks
    /// that are `Send` can be spawned through it.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Spawns a future, which need not be `Send`, as a task that inherits the current Context.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.local.set.spawn_local(future)
    }

    /// Runs a closure that blocks on the runtime's blocking pool, in the current Context.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(f)
    }

    /// Runs a future on this thread until it is done, in the current Context, and the runtime's
    /// tasks as long as it is not.
    ///
    /// # Panics
    ///
    /// As that of a current-thread [`Runtime`].
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes this the current runtime of the thread until the guard is dropped, for
    /// [`spawn_local`](crate::task::spawn_local) too.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Returns the runtime's numbers. Local tasks are not among them.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }

    /// Shuts the runtime down and waits for at most `duration` for its blocking threads to end.
    ///
    /// # Panics
    ///
    /// If called from a task, where the thread must not be blocked.
    #[track_caller]
    pub fn shutdown_timeout(self, duration: Duration) {
        self.into_runtime().shutdown_timeout(duration);
    }

    /// Shuts the runtime down without waiting for anything. It may be called from a task.
    pub fn shutdown_background(self) {
        self.into_runtime().shutdown_background();
    }

    /// Drops all local tasks. What is left are those of the runtime.
    fn into_runtime(self) -> Runtime {
        let LocalRuntime { local, runtime } = self;
        drop(local);
        runtime
    }
}

/// The local tasks, which are dropped inside of the runtime.
struct Local {
    set: LocalSet,
    handle: Handle,
}

impl Drop for Local {
    fn drop(&mut self) {
        let _entered = self.handle.enter();
        self.set.close();
    }
}

impl UnwindSafe for LocalRuntime {}
impl RefUnwindSafe for LocalRuntime {}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRuntime")
            .field("handle", self.handle())
            .finish_non_exhaustive()
    }
}
