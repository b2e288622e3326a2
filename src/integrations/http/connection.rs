//! One connection of the server.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tower_service::Service;

use crate::integrations::http::adapter::{Adapter, AtWork};
use crate::integrations::http::connection_metrics::ConnectionMetrics;
use crate::integrations::http::opening::Opening;
use crate::integrations::http::Executor;

/// All that a connection needs besides its stream.
pub(super) struct Connection<S> {
    pub(super) builder: Arc<Builder<Executor>>,
    pub(super) metrics: Arc<ConnectionMetrics>,
    pub(super) watcher: Watcher,
    pub(super) header_timeout: Duration,
    pub(super) place: OwnedSemaphorePermit,
    pub(super) at_work: AtWork,
    pub(super) service: S,
}

impl<S, B> Connection<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// Answers the requests that come in over the stream, until it or the server ends.
    pub(super) async fn serve<T>(self, stream: T)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let open = self.metrics.open();
        let requests = open.requests();
        let service = Adapter::new(self.service, requests.clone(), self.at_work);
        // What is upgraded is a connection still, and takes its place along.
        let held = (open, self.place);
        let stream = TokioIo::new(Opening::new(stream, self.header_timeout, requests, held));
        let served = self.builder.serve_connection_with_upgrades(stream, service);
        // A connection that breaks is the client's affair; the handler in it is dropped.
        drop(self.watcher.watch(served).await);
    }
}
