//! Where the tasks of actors run.

use std::future::Future;

use crate::context::{Context, ContextFutureExt as _};
use crate::executor::{runtime::Handle, spawn_in};

/// Runs a future in the Context as a task of its own: on kamon's executor, unless the caller is on a
/// tokio runtime and not on kamon's.
pub(crate) fn launch<F>(context: Context, future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if Handle::try_current().is_err() {
        if let Ok(tokio) = ::tokio::runtime::Handle::try_current() {
            tokio.spawn(future.in_context(context));
            return;
        }
    }
    drop(spawn_in(context, future));
}
