//! A service whose requests have spans.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::integrations::http::server::side::Server;
use crate::integrations::http::{ExchangeBody, ExchangeFuture, ServerSide};

/// A service whose requests have spans: what [`ServerLayer`](crate::http::ServerLayer) makes.
#[derive(Clone, Debug)]
pub struct ServerService<S> {
    service: S,
    server: Arc<Server>,
}

impl<S> ServerService<S> {
    pub(super) fn new(service: S, server: Arc<Server>) -> Self {
        ServerService { service, server }
    }
}

impl<S, A, B> Service<Request<A>> for ServerService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<ExchangeBody<B, ServerSide>>;
    type Error = S::Error;
    type Future = ExchangeFuture<S::Future, ServerSide>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let mut exchange = ServerSide::begin(&self.server, &request);
        let future = exchange.call(|| self.service.call(request));
        ExchangeFuture::new(Some(exchange), future)
    }
}
