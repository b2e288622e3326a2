//! One call of a service, as soon as it is ready.

use std::future::Future;
use std::pin::Pin;
use std::task::{ready, Context as TaskContext, Poll};

use pin_project_lite::pin_project;
use tower_service::Service;

pin_project! {
    /// Waits until the service is ready, and calls it.
    #[project = State]
    pub(super) enum Oneshot<S: Service<R>, R> {
        Waiting { service: S, request: Option<R> },
        Called { #[pin] future: S::Future },
    }
}

impl<S: Service<R>, R> Oneshot<S, R> {
    pub(super) fn new(service: S, request: R) -> Self {
        Oneshot::Waiting {
            service,
            request: Some(request),
        }
    }
}

impl<S: Service<R>, R> Future for Oneshot<S, R> {
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        loop {
            let future = match self.as_mut().project() {
                State::Called { future } => return future.poll(cx),
                State::Waiting { service, request } => {
                    ready!(service.poll_ready(cx))?;
                    match request.take() {
                        Some(request) => service.call(request),
                        None => panic!("`Oneshot` polled after it failed"),
                    }
                }
            };
            self.set(Oneshot::Called { future });
        }
    }
}
