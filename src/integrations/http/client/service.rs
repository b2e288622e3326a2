//! A client whose requests have spans.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use tower_service::Service;

use crate::integrations::http::client::settings::Settings;
use crate::integrations::http::{Answer, ClientSide, ExchangeFuture, Outgoing};

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

impl<S, R> Service<R> for ClientService<S>
where
    S: Service<R>,
    R: Outgoing,
    S::Response: Answer<ClientSide>,
{
    type Response = <S::Response as Answer<ClientSide>>::Traced;
    type Error = S::Error;
    type Future = ExchangeFuture<S::Future, ClientSide>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> Self::Future {
        let mut exchange = ClientSide::begin(&self.settings, &mut request);
        let future = match &mut exchange {
            Some(exchange) => exchange.call(|| self.service.call(request)),
            None => self.service.call(request),
        };
        ExchangeFuture::new(exchange, future)
    }
}
