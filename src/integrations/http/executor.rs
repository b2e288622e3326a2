//! hyper's executor: a kamon task for each future.

use std::future::Future;

use crate::executor::spawn_root;

/// Runs what hyper hands over as tasks of the current kamon runtime, in the empty Context.
///
/// A server's HTTP/2 streams and a client's pooled connections are such futures. The Context in
/// which they happen to begin belongs to one request; they do not.
///
/// # Examples
///
/// ```
/// use http_body_util::Empty;
/// use hyper::body::Bytes;
/// use hyper_util::client::legacy::Client;
///
/// let client = Client::builder(kamon::http::Executor)
///     .timer(kamon::http::Timer)
///     .build_http::<Empty<Bytes>>();
/// # drop(client);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Executor;

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        drop(spawn_root(future));
    }
}
