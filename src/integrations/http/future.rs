//! The future of a response.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{ready, Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::context::slot::SavedScopes;
use crate::integrations::http::exchange::{Exchange, Side};
use crate::integrations::http::Answer;

pin_project! {
    /// Polls a service's future in the Context of its exchange, if there is one.
    ///
    /// If it is dropped before it is ready the span of the exchange is `cancelled`, and if the
    /// service panics the span is failed.
    pub struct ExchangeFuture<F, S: Side> {
        // Gone once the response is there.
        exchange: Option<Exchange<S>>,
        saved: SavedScopes,
        #[pin]
        future: Option<F>,
    }

    impl<F, S: Side> PinnedDrop for ExchangeFuture<F, S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange {
                exchange.discard(this.saved, || this.future.set(None));
            }
        }
    }
}

impl<F, S: Side> ExchangeFuture<F, S> {
    pub(super) fn new(exchange: Option<Exchange<S>>, future: F) -> Self {
        ExchangeFuture {
            exchange,
            saved: SavedScopes::new(),
            future: Some(future),
        }
    }
}

impl<F, S, R, E> Future for ExchangeFuture<F, S>
where
    F: Future<Output = Result<R, E>>,
    S: Side,
    R: Answer<S>,
{
    type Output = Result<R::Traced, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut poll = || {
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                panic!("the future of a response polled after completion");
            };
            let polled = future.poll(cx);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        };
        let polled = match this.exchange {
            Some(exchange) => exchange.poll(this.saved, poll),
            None => poll(),
        };
        let result = ready!(polled);
        let exchange = this.exchange.take();
        Poll::Ready(match result {
            Ok(response) => Ok(response.traced(exchange)),
            Err(error) => {
                if let Some(mut exchange) = exchange {
                    exchange.fail(S::FAILED);
                }
                Err(error)
            }
        })
    }
}

impl<F, S: Side> fmt::Debug for ExchangeFuture<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeFuture")
            .field("span", &self.exchange.as_ref().map(Exchange::span))
            .finish_non_exhaustive()
    }
}
