//! The server: how it is asked for.

use std::error::Error as StdError;
use std::fmt;
use std::future::{pending, Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::server::conn::auto::Builder;
use tower_service::Service;

use crate::integrations::http::accept::accept;
use crate::integrations::http::{Executor, Listener, Timer};

/// How long a client may take to send the head of a request, unless told otherwise.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// hyper adds a timeout to the present time, which must not overflow.
const LONGEST: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Serves HTTP/1 and HTTP/2 connections with a tower service, such as axum's `Router`.
///
/// Each connection is a kamon task of its own, and so is each stream of HTTP/2, all in the empty
/// Context: the handlers of one server run on all workers. (Under `axum::serve` they work as well,
/// but connections are tasks of the inner tokio runtime there, and take turns on it.) What a
/// request makes current is the service's business; see [`ServerLayer`](crate::http::ServerLayer).
///
/// Awaiting what is returned runs the server until it is shut down. Dropping the future ends all
/// connections at once. A listener that fails, as for want of file descriptors, is asked again
/// after a pause of 5 ms to 1 s.
///
/// # Metrics
///
/// | metric | |
/// |---|---|
/// | `http.server.connection.open` | range sampler |
/// | `http.server.connection.lifetime` | timer |
/// | `http.server.connection.usage` | histogram of requests by connection, of those that had any |
/// | `http.server.accept.failures` | counter |
///
/// Each has the tags `component` (`http.server`), and `interface` and `port` if the listener
/// knows them.
///
/// # Examples
///
/// ```
/// use axum::{routing::get, Router};
///
/// # kamon::block_on(async {
/// let router = Router::new().route("/", get(|| async { "hello" }));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
/// # let ctrl_c = std::future::ready(());
/// kamon::http::serve(listener, router).shut_down_on(ctrl_c).await;
/// # });
/// ```
pub fn serve<L, S>(listener: L, service: S) -> Serve<L, S> {
    let settings = Settings {
        builder: Builder::new(Executor),
        header_timeout: HEADER_TIMEOUT,
        most_connections: usize::MAX,
        patience: None,
        signal: Box::pin(pending()),
    };
    let serve = Serve {
        listener,
        service,
        settings,
    };
    serve.header_timeout(HEADER_TIMEOUT)
}

/// A server that is about to be: what [`serve`] returns. It runs when it is awaited.
#[must_use = "a server runs when it is awaited"]
pub struct Serve<L, S> {
    listener: L,
    service: S,
    settings: Settings,
}

/// What a server can be told besides where and what to serve.
pub(super) struct Settings {
    pub(super) builder: Builder<Executor>,
    pub(super) header_timeout: Duration,
    pub(super) most_connections: usize,
    /// How long connections have when the server is shut down.
    pub(super) patience: Option<Duration>,
    pub(super) signal: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<L, S> Serve<L, S> {
    /// Shuts the server down when the future is ready.
    ///
    /// It accepts no more connections then, and lets those that there are finish what they have
    /// begun: HTTP/1 connections answer the request that they have and close, HTTP/2 clients
    /// are told to begin no more streams. The server's future is ready when all are gone, and all
    /// handlers with them. Connections of HTTP/1 that were upgraded are their handlers' business.
    pub fn shut_down_on(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.settings.signal = Box::pin(signal);
        self
    }

    /// Gives connections so much time to finish when the server is shut down, and then ends them.
    /// Without this they have as long as they need.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.patience = Some(timeout);
        self
    }

    /// Has at most so many connections at a time, those included that were upgraded, as to WebSocket; the
    /// others wait in the listener's queue. None at all is not possible: zero counts as one.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.settings.most_connections = most.max(1);
        self
    }

    /// Closes connections that take longer than this to send the head of a request, the time
    /// between two requests of an HTTP/1 connection included. Thirty seconds without this.
    ///
    /// Of HTTP/2 this is the first request. After it, a client that has been silent for so long is asked
    /// whether it is still there (`PING`), and has as long again to answer; what
    /// [`configure`](Self::configure) says of that afterwards counts.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        let timeout = timeout.min(LONGEST);
        self.settings.header_timeout = timeout;
        let mut http2 = self.settings.builder.http2();
        http2
            .keep_alive_interval(timeout)
            .keep_alive_timeout(timeout);
        self
    }

    /// Changes settings of hyper's that have no method here, as keep-alive and limits of HTTP/2.
    pub fn configure(mut self, change: impl FnOnce(&mut Builder<Executor>)) -> Self {
        change(&mut self.settings.builder);
        self
    }
}

impl<L, S, B> IntoFuture for Serve<L, S>
where
    L: Listener,
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        let header_timeout = self.settings.header_timeout;
        let builder = &mut self.settings.builder;
        let mut http1 = builder.http1();
        http1.timer(Timer).header_read_timeout(header_timeout);
        builder.http2().timer(Timer);
        Box::pin(accept(self.listener, self.service, self.settings))
    }
}

impl<L: fmt::Debug, S> fmt::Debug for Serve<L, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listener", &self.listener)
            .field("header_timeout", &self.settings.header_timeout)
            .field("max_connections", &self.settings.most_connections)
            .field("shutdown_timeout", &self.settings.patience)
            .finish_non_exhaustive()
    }
}
