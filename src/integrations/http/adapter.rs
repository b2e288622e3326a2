//! A tower service as one of hyper's, and who is still at work in it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{ready, Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service as HyperService;
use pin_project_lite::pin_project;
use tokio::sync::oneshot;
use tower_service::Service;

use crate::integrations::http::oneshot::Oneshot;

/// A tower service as one of hyper's, which also counts the requests.
pub(super) struct Adapter<S> {
    service: S,
    requests: Arc<AtomicU64>,
    /// Counted by connection: its requests do not meet those of others.
    at_work: Arc<AtWork>,
}

impl<S> Adapter<S> {
    pub(super) fn new(service: S, requests: Arc<AtomicU64>, at_work: AtWork) -> Self {
        Adapter {
            service,
            requests,
            at_work: Arc::new(at_work),
        }
    }
}

impl<S, B> HyperService<Request<Incoming>> for Adapter<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone,
{
    type Response = Response<Sent<B>>;
    type Error = S::Error;
    type Future = Handling<Oneshot<S, Request<Incoming>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Handling {
            future: Oneshot::new(self.service.clone(), request),
            at_work: Some(self.at_work.clone()),
        }
    }
}

/// Somebody is at work for a server. The streams of HTTP/2 are tasks of their own, which outlive their
/// connection by a moment.
#[derive(Clone)]
pub(super) struct AtWork {
    /// Gone with the last of them.
    _one: Arc<oneshot::Sender<()>>,
}

impl AtWork {
    /// Somebody, and a future that is ready when nobody is any more.
    pub(super) fn new() -> (AtWork, impl Future<Output = ()>) {
        let (one, gone) = oneshot::channel();
        let at_work = AtWork {
            _one: Arc::new(one),
        };
        (at_work, async { drop(gone.await) })
    }
}

pin_project! {
    /// The future of a response, which is at work for its server.
    pub(super) struct Handling<F> {
        // Dropped first.
        #[pin]
        future: F,
        at_work: Option<Arc<AtWork>>,
    }
}

impl<F, B, E> Future for Handling<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<Sent<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(cx))?;
        let at_work = this.at_work.take();
        Poll::Ready(Ok(response.map(|body| Sent { body, at_work })))
    }
}

pin_project! {
    /// The body of a response, until it has been sent.
    pub(super) struct Sent<B> {
        // Dropped first.
        #[pin]
        body: B,
        at_work: Option<Arc<AtWork>>,
    }
}

impl<B: Body> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
