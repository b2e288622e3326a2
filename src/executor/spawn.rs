//! Spawning on the current runtime: the free functions.

use std::future::Future;
use std::panic::Location;

use crate::context::{slot, Context};
use crate::executor::enter::{with_entered, Polling};
use crate::executor::global;
use crate::executor::shared::Shared;
use crate::sync::Arc;
use crate::task::JoinHandle;

/// Spawns a future as a task that inherits the current Context, as it is now.
///
/// The task belongs to the runtime that is current on this thread, or to the global one, which
/// starts itself. It begins to run at once, whether or not the handle is awaited, and goes on
/// when the handle is dropped.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// kamon::block_on(async {
///     let context = Context::empty().with_key(&USER, "ada".into());
///     let handle = kamon::with_context(context, || {
///         kamon::spawn(async { kamon::current_context().get(&USER).clone() })
///     });
///     assert_eq!(handle.await.unwrap(), "ada");
/// });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    launch(future, slot::capture(), Location::caller())
}

/// Spawns a future as a task that carries `context` instead of the current one.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// let context = Context::empty().with_key(&USER, "ada".into());
/// let handle = kamon::spawn_in(context, async {
///     kamon::current_context().get(&USER).clone()
/// });
/// assert_eq!(kamon::block_on(handle).unwrap(), "ada");
/// ```
#[track_caller]
pub fn spawn_in<F>(context: Context, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    launch(future, context, Location::caller())
}

/// Spawns a future as a task that carries the empty Context: for what outlives the request in
/// which it happens to begin, such as pooled connections, caches and exporters.
///
/// # Examples
///
/// ```
/// let handle = kamon::spawn_root(async { kamon::current_context().is_empty() });
/// assert!(kamon::block_on(handle).unwrap());
/// ```
#[track_caller]
pub fn spawn_root<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    launch(future, Context::empty(), Location::caller())
}

/// Runs a closure that blocks on a thread where blocking is allowed.
///
/// The closure inherits the current Context, as it is now. Once it has begun it cannot be
/// aborted; an abort before that makes the handle resolve to a cancelled error.
///
/// # Examples
///
/// ```
/// let sum = kamon::spawn_blocking(|| (1..=100).sum::<u32>());
/// assert_eq!(kamon::block_on(sum).unwrap(), 5050);
/// ```
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let location = Location::caller();
    with_runtime(|shared| spawn_blocking_on(shared, f, location))
}

/// Runs a future on this thread until it is done, with its tasks on the runtime that is current
/// here or on the global one, which starts itself.
///
/// The future runs in the current Context. This thread may run tasks, too, with the consequences that
/// [`Runtime::block_on`](crate::runtime::Runtime::block_on) names.
///
/// # Panics
///
/// If called from a task or from within another `block_on`, where the thread must not be
/// blocked. Panics of the future come through.
///
/// # Examples
///
/// ```
/// assert_eq!(kamon::block_on(async { 6 * 7 }), 42);
/// ```
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let shared = with_runtime(Arc::clone);
    crate::executor::block_on::block_on(&shared, Polling::Yes, future)
}

/// Spawns a blocking closure on `shared`.
pub(crate) fn spawn_blocking_on<F, R>(
    shared: &Shared,
    f: F,
    location: &'static Location<'static>,
) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    shared.blocking.spawn(f, slot::capture(), location)
}

fn launch<F>(
    future: F,
    context: Context,
    location: &'static Location<'static>,
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    with_runtime(|shared| shared.spawn(future, context, location))
}

/// Gives `f` the runtime that is current on this thread, or the global one.
fn with_runtime<R>(f: impl FnOnce(&Arc<Shared>) -> R) -> R {
    with_entered(|entered| match entered {
        Some(shared) => f(shared),
        None => f(global::runtime().shared()),
    })
}
