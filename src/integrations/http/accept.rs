//! The server at work: takes connections, and sees to it that all end.

use std::error::Error as StdError;
use std::future::{poll_fn, Future};
use std::io;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::context::{with_context, Context};
use crate::integrations::http::adapter::AtWork;
use crate::integrations::http::connection::Connection;
use crate::integrations::http::connection_metrics::ConnectionMetrics;
use crate::integrations::http::place::Place;
use crate::integrations::http::serve::Settings;
use crate::integrations::http::Listener;
use crate::metrics::{counter, Counter};
use crate::task::JoinSet;
use crate::time::{sleep, timeout, Sleep};

/// How long to wait after the first error of the listener; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// After so many errors in a row that come without a pause, the server's task takes one.
const ERRORS_AT_ONCE: usize = 32;

/// Serves what the listener gives until the signal comes, and lets the connections finish.
pub(super) async fn accept<L, S, B>(listener: L, service: S, settings: Settings)
where
    L: Listener,
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn StdError + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let metrics = Arc::new(ConnectionMetrics::of(listener.local_address()));
    let builder = Arc::new(settings.builder);
    let graceful = GracefulShutdown::new();
    let mut signal = settings.signal;
    let mut connections = JoinSet::new();
    let mut door = Door::new(listener);
    let most = settings.most_connections.min(Semaphore::MAX_PERMITS);
    let places = Arc::new(Semaphore::new(most));
    let (at_work, nobody_at_work) = AtWork::new();
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (poll_fn(|cx| door.poll(cx)).await, place)
        };
        let mut next = pin!(next);
        let next = poll_fn(|cx| {
            if signal.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            // A panic of the service has ended its connection, and that is all there is to do
            // about it.
            while let Poll::Ready(Some(_)) = connections.poll_join_next(cx) {}
            next.as_mut().poll(cx).map(Some)
        });
        // Nobody closes the semaphore.
        let Some((stream, Ok(place))) = next.await else {
            break;
        };
        let connection = Connection {
            builder: builder.clone(),
            metrics: metrics.clone(),
            watcher: graceful.watcher(),
            header_timeout: settings.header_timeout,
            place,
            at_work: at_work.clone(),
            service: service.clone(),
        };
        // The server may have been started in somebody's Context; connections are nobody's.
        with_context(Context::empty(), || {
            connections.spawn(connection.serve(stream))
        });
    }
    drop(door);
    match settings.patience {
        None => graceful.shutdown().await,
        // Those that are not done in time are ended below.
        Some(patience) => drop(timeout(patience, graceful.shutdown()).await),
    }
    connections.abort_all();
    while connections.join_next().await.is_some() {}
    drop(at_work);
    nobody_at_work.await;
}

/// The listener, and how long it is left alone after an error.
struct Door<L> {
    listener: L,
    failures: Counter,
    pause: Duration,
    pausing: Option<Pin<Box<Sleep>>>,
}

impl<L: Listener> Door<L> {
    fn new(listener: L) -> Self {
        let place = Place::of(listener.local_address());
        Door {
            failures: place.tag(counter("http.server.accept.failures")),
            listener,
            pause: FIRST_PAUSE,
            pausing: None,
        }
    }

    /// The next connection, whatever errors come before it.
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<L::Connection> {
        for _ in 0..ERRORS_AT_ONCE {
            if let Some(pausing) = &mut self.pausing {
                match pausing.as_mut().poll(cx) {
                    Poll::Ready(()) => self.pausing = None,
                    Poll::Pending => return Poll::Pending,
                }
            }
            match self.listener.poll_accept(cx) {
                Poll::Ready(Ok(connection)) => {
                    self.pause = FIRST_PAUSE;
                    return Poll::Ready(connection);
                }
                Poll::Ready(Err(error)) => self.failed(&error),
                Poll::Pending => return Poll::Pending,
            }
        }
        // Nothing but errors of single connections: others have their turn, and the signal is looked at.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn failed(&mut self, error: &io::Error) {
        self.failures.increment();
        if !is_of_one_connection(error) {
            self.pausing = Some(Box::pin(sleep(self.pause)));
            self.pause = LONGEST_PAUSE.min(self.pause * 2);
        }
    }
}

/// Tells whether the next connection is likely to fare better.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
