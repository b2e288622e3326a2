//! The Context on tokio's own runtimes.

use std::future::Future;

use tokio::task::JoinHandle;

use crate::context::{slot, wrap, ContextFutureExt};

/// Spawns a future on the current *tokio* runtime as a task that inherits the current Context.
///
/// The Context is current during every poll of the future and during its drop. tokio's own
/// handle comes back; an output that nobody claims is dropped by tokio, outside of the Context.
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::spawn`.
///
/// # Examples
///
/// ```
/// use kamon::{Context, Key};
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     let context = Context::empty().with_key(&USER, "ada".into());
///     let handle = kamon::with_context(context, || {
///         kamon::tokio::spawn(async { kamon::current_context().get(&USER).clone() })
///     });
///     assert_eq!(handle.await.unwrap(), "ada");
/// }
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_context(slot::capture()))
}

/// Runs a closure that blocks on the current *tokio* runtime's blocking pool, in the Context that
/// is current now.
///
/// # Panics
///
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking`.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let sum = kamon::tokio::spawn_blocking(|| (1..=100).sum::<u32>());
/// assert_eq!(sum.await.unwrap(), 5050);
/// # }
/// ```
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(wrap(f))
}
