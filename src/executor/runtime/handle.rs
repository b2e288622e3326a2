//! Referring to a runtime.

use std::fmt;
use std::future::Future;
use std::num::NonZeroU64;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};

use crate::context::slot;
use crate::executor::enter::{with_entered, EnterGuard, Polling};
use crate::executor::runtime::RuntimeMetrics;
use crate::executor::shared::Shared;
use crate::executor::spawn::spawn_blocking_on;
use crate::sync::Arc;
use crate::task::JoinHandle;

/// Refers to a runtime, wherever it is owned.
///
/// A handle does not keep a runtime running: when its owner shuts it down, what is spawned
/// through a handle is cancelled at once.
///
/// # Examples
///
/// ```
/// let runtime = kamon::runtime::Runtime::new()?;
/// let handle = runtime.handle().clone();
/// let thread = std::thread::spawn(move || handle.block_on(async { 6 * 7 }));
/// assert_eq!(thread.join().unwrap(), 42);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Handle {
        Handle { shared }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns the runtime that is current on this thread.
    ///
    /// # Panics
    ///
    /// If none is: see [`try_current`](Self::try_current).
    #[track_caller]
    pub fn current() -> Handle {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the runtime that is current on this thread.
    ///
    /// # Errors
    ///
    /// If the thread has entered none. The global runtime, which `kamon::spawn` would use, is
    /// current only inside its own tasks and its own `block_on`.
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        with_entered(|shared| shared.cloned().map(Handle::new).ok_or(TryCurrentError(())))
    }

    /// Makes this the current runtime of the thread until the guard is dropped.
    ///
    /// # Panics
    ///
    /// Guards have to be dropped in the reverse order of their making; the drop of one that is
    /// not panics.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard::new(&self.shared)
    }

    /// Spawns a future as a task that inherits the current Context.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared
            .spawn(future, slot::capture(), Location::caller())
    }

    /// Runs a closure that blocks on the runtime's blocking pool, in the current Context.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_blocking_on(&self.shared, f, Location::caller())
    }

    /// Runs a future on this thread until it is done, in the current Context. On a
    /// current-thread runtime whose core nobody holds, its tasks run here too; on a multi-thread runtime
    /// some may, with the consequences that [`Runtime::block_on`](crate::runtime::Runtime::block_on) names.
    ///
    /// # Panics
    ///
    /// If called from a task or from within another `block_on`, and as
    /// [`Runtime::block_on`](crate::runtime::Runtime::block_on) if it has to wait. Panics of the future come
    /// through.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        crate::executor::block_on::block_on(&self.shared, Polling::ThroughHandle, future)
    }

    /// Returns which kind of runtime this is.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.shared.config.workers {
            0 => RuntimeFlavor::CurrentThread,
            _ => RuntimeFlavor::MultiThread,
        }
    }

    /// Returns an id that no other runtime of this process has while this one is referred to.
    pub fn id(&self) -> Id {
        let address = Arc::as_ptr(&self.shared) as usize as u64;
        Id(NonZeroU64::new(address).unwrap_or(NonZeroU64::MIN))
    }

    /// Returns the name that the builder gave the runtime.
    pub fn name(&self) -> Option<&str> {
        self.shared.config.name.as_deref()
    }

    /// Returns the runtime's numbers.
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(self.shared.clone())
    }
}

impl UnwindSafe for Handle {}
impl RefUnwindSafe for Handle {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("flavor", &self.runtime_flavor())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The kind of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// Tasks run on the thread that calls `block_on`.
    CurrentThread,
    /// Tasks run on worker threads.
    MultiThread,
}

/// Identifies a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(NonZeroU64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// No runtime is current on this thread.
#[derive(Debug)]
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Returns true: the thread has entered no runtime.
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Returns false: which runtime is current can be read until the very end of a thread.
    pub fn is_thread_local_destroyed(&self) -> bool {
        false
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no reactor running, must be called from the context of a kamon runtime",
        )
    }
}

impl std::error::Error for TryCurrentError {}
