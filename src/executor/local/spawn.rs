//! `spawn_local`: tokio's, which wants a set, and kamon's, which makes do without one.

use std::future::Future;
use std::panic::Location;

use crate::context::slot;
use crate::executor::local::current::{self, Homeless};
use crate::executor::local::queue::Shared;
use crate::sync::Arc;
use crate::task::JoinHandle;

/// Spawns a future, which need not be `Send`, on the [`LocalSet`](crate::task::LocalSet) that is
/// running or entered, or on the [`LocalRuntime`](crate::runtime::LocalRuntime) that is.
///
/// It inherits the Context that is current now. A task spawned inside a local task is on the same
/// set. [`kamon::spawn_local`](crate::spawn_local) works directly inside a `block_on` too.
///
/// # Panics
///
/// If there is no such set, as in tokio.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use kamon::task::{spawn_local, LocalSet};
///
/// let set = LocalSet::new();
/// let sum = set.run_until(async {
///     let shared = Rc::new(1);
///     spawn_local(async move { *shared + 1 }).await.unwrap()
/// });
/// assert_eq!(kamon::block_on(sum), 2);
/// ```
#[track_caller]
pub fn spawn_on_set<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(current::home(), future)
}

/// Spawns a future, which need not be `Send`, where [`task::spawn_local`](crate::task::spawn_local)
/// does, or else beside the future that this thread is blocking on.
///
/// It inherits the Context that is current now. Without a set, directly inside
/// [`block_on`](crate::block_on), the task runs on the same thread whenever the future that is
/// blocked on waits, and is dropped with it.
///
/// # Panics
///
/// Outside of a set and of `block_on`: in a task of a multi-thread runtime, for example.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// kamon::block_on(async {
///     let shared = Rc::new(1);
///     let task = kamon::spawn_local({
///         let shared = shared.clone();
///         async move { *shared + 1 }
///     });
///     assert_eq!(task.await.unwrap(), 2);
/// });
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_at(current::home_or_implicit(), future)
}

#[track_caller]
fn spawn_at<F>(home: Result<Arc<Shared>, Homeless>, future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    match home {
        Ok(home) => home.spawn(future, slot::capture(), Location::caller()),
        Err(Homeless::NoSet) => panic!(
            "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`"
        ),
        Err(Homeless::OtherThread) => panic!(
            "Local tasks can only be spawned on a LocalRuntime from the thread the runtime was \
             created on"
        ),
    }
}
