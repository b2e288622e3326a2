//! The service: it says hello.

use std::convert::Infallible;
use std::future::{ready, Ready};
use std::task::{Context as TaskContext, Poll};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use tower_service::Service;

/// What all answers end with.
pub(crate) const HELLO: &[u8] = b"hello, world";

/// Says hello.
#[derive(Clone, Copy)]
pub(crate) struct Hello;

impl Service<Request<Incoming>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(HELLO)))))
    }
}
