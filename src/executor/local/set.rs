//! `LocalSet`.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use crate::context::slot;
use crate::executor::local::current::{Entered, LocalHome};
use crate::executor::local::queue::Shared;
use crate::executor::local::run_until::RunUntil;
use crate::executor::runtime::Runtime;
use crate::sync::Arc;
use crate::task::JoinHandle;

/// Runs tasks that are not `Send`, all on the thread that it was made on.
///
/// The tasks run while [`run_until`](Self::run_until) or the set itself is polled. Each has its
/// own Context, inherited from whoever spawned it, as every kamon task has; and since it never
/// leaves its thread, a [`Scope`](crate::Scope) may be open across its `.await`s.
///
/// Dropping the set drops the futures of all its tasks.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use kamon::task::{spawn_local, LocalSet};
///
/// kamon::block_on(async {
///     let local = LocalSet::new();
///     let text = local.run_until(async {
///         let shared = Rc::new("not Send");
///         let task = spawn_local(async move { shared.len() });
///         task.await.unwrap()
///     });
///     assert_eq!(text.await, 8);
/// });
/// ```
pub struct LocalSet {
    shared: Arc<Shared>,
    /// Stays on its thread.
    not_send: PhantomData<*mut ()>,
}

impl LocalSet {
    /// Creates a set without tasks.
    pub fn new() -> LocalSet {
        LocalSet {
            shared: Shared::new(),
            not_send: PhantomData,
        }
    }

    /// Makes this the set that [`spawn_local`](crate::task::spawn_local) spawns on, until the guard
    /// is dropped.
    ///
    /// The tasks run when the set is polled, and not before.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::task::{spawn_local, LocalSet};
    ///
    /// let local = LocalSet::new();
    /// let task = {
    ///     let _guard = local.enter();
    ///     spawn_local(async { 1 })
    /// };
    /// let runtime = kamon::runtime::Runtime::new().unwrap();
    /// assert_eq!(local.block_on(&runtime, task).unwrap(), 1);
    /// ```
    pub fn enter(&self) -> LocalEnterGuard {
        LocalEnterGuard {
            _entered: Entered::enter(self.shared.clone()),
            not_send: PhantomData,
        }
    }

    /// Spawns a future on the set.
    ///
    /// It inherits the Context that is current now.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.shared
            .spawn(future, slot::capture(), Location::caller())
    }

    /// Runs a future on `runtime` until it is ready, and the tasks of the set as long as it is not.
    ///
    /// # Panics
    ///
    /// As [`Runtime::block_on`] does.
    #[track_caller]
    pub fn block_on<F: Future>(&self, runtime: &Runtime, future: F) -> F::Output {
        runtime.block_on(self.run_until(future))
    }

    /// Runs a future until it is ready, and the tasks of the set as long as it is not.
    ///
    /// Tasks that are not finished then stay in the set, for the next time it is polled.
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        RunUntil::new(self, future).await
    }

    /// Drops all tasks, and those that are spawned from now on at once.
    pub(crate) fn close(&self) {
        self.shared.close();
    }

    /// Names the set for a runtime that is to have it as its own.
    pub(crate) fn home(&self) -> LocalHome {
        LocalHome::new(self.shared.clone())
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Ready when all tasks of the set have ended.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        match self.shared.poll_tasks(cx) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        self.close();
    }
}

impl Default for LocalSet {
    fn default() -> LocalSet {
        LocalSet::new()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").finish_non_exhaustive()
    }
}

/// Guard returned by [`LocalSet::enter`].
#[must_use = "the set is left when the guard is dropped"]
pub struct LocalEnterGuard {
    _entered: Entered,
    not_send: PhantomData<*mut ()>,
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish_non_exhaustive()
    }
}
