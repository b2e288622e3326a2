//! A client whose requests have spans.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::integrations::http::client::settings::Settings;
use crate::integrations::http::{ClientSide, ExchangeBody, ExchangeFuture};

/// A client whose requests have spans: what [`ClientLayer`](crate::http::ClientLayer) makes.
#[derive(Clone, Debug)]
pub struct ClientService<S> {
    service: S,
    settings: Arc<Settings>,
}

impl<S> ClientService<S> {
    pub(super) fn new(service: S, settings: Arc<Settings>) -> Self {
        ClientService { service, settings }
    }
}

impl<S, A, B> Service<Request<A>> for ClientService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<ExchangeBody<B, ClientSide>>;
    type Error = S::Error;
    type Future = ExchangeFuture<S::Future, ClientSide>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let exchange = ClientSide::begin(&self.settings, &mut request);
        let future = match &exchange {
            Some(exchange) => exchange.call(|| self.service.call(request)),
            None => self.service.call(request),
        };
        ExchangeFuture::new(exchange, future)
    }
}
