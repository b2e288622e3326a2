//! The body of a response.

use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http_body::{Body, Frame, SizeHint};
use hyper::body::Buf as _;
use pin_project_lite::pin_project;

use crate::context::slot::SavedScopes;
use crate::integrations::http::exchange::{Exchange, Side, GRPC_STATUS};

pin_project! {
    /// Polls a body in the Context of its exchange, if there is one, which is over when the body is.
    ///
    /// It is the body that the service has made in all but its type. The span of the exchange is
    /// finished with the last frame, or with the trailers. If the body is dropped before, the span is
    /// `cancelled` on the server's side, where the client has gone away, and finished on the
    /// client's, who has seen enough.
    pub struct ExchangeBody<B, S: Side> {
        exchange: Option<Exchange<S>>,
        saved: SavedScopes,
        // How many bytes there will be, if that is known.
        expected: Option<u64>,
        // How many there were.
        sent: u64,
        #[pin]
        body: Option<B>,
    }

    impl<B, S: Side> PinnedDrop for ExchangeBody<B, S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(exchange) = this.exchange {
                exchange.discard(this.saved, || this.body.set(None));
                // Of a body whose length was announced nobody needs to ask for the end.
                if *this.expected == Some(*this.sent) {
                    exchange.finish(Some(*this.sent));
                } else if !S::NEEDS_WHOLE_BODY {
                    exchange.finish(None);
                }
            }
        }
    }
}

impl<B: Body, S: Side> ExchangeBody<B, S> {
    /// The body of a response whose headers announce so many bytes, if they do.
    pub(super) fn new(mut exchange: Option<Exchange<S>>, announced: Option<u64>, body: B) -> Self {
        if let Some(exchange) = &mut exchange {
            // Of bodies that nobody will look at there is nothing to wait for.
            if exchange.has_no_body() {
                exchange.finish(None);
            } else if body.is_end_stream() {
                exchange.finish(Some(0));
            }
        }
        ExchangeBody {
            exchange,
            saved: SavedScopes::new(),
            expected: announced.or_else(|| body.size_hint().exact()),
            sent: 0,
            body: Some(body),
        }
    }
}

impl<B: Body, S: Side> Body for ExchangeBody<B, S> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let Some(exchange) = this.exchange else {
            return body.poll_frame(cx);
        };
        let polled = exchange.poll(this.saved, || body.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => exchange.finish(Some(*this.sent)),
            Poll::Ready(Some(Err(_))) => exchange.fail("the response's body failed"),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    *this.sent += data.remaining() as u64;
                }
                if let Some(trailers) = frame.trailers_ref() {
                    exchange.conclude_grpc(trailers.get(&GRPC_STATUS));
                }
                // Whoever sends it may never ask what comes after the last frame.
                if frame.is_trailers() || body.is_end_stream() {
                    exchange.finish(Some(*this.sent));
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl<B: fmt::Debug, S: Side> fmt::Debug for ExchangeBody<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeBody")
            .field("span", &self.exchange.as_ref().map(Exchange::span))
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
