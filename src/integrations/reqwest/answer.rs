//! reqwest's responses, whose bodies take the exchange along.

use std::mem;

use ::http::response;
use ::reqwest::{Body, Response, ResponseBuilderExt as _};

use crate::integrations::http::exchange::Exchange;
use crate::integrations::http::{Answer, ClientSide};

impl Answer<ClientSide> for Response {
    type Traced = Response;

    fn traced(self, exchange: Option<Exchange<ClientSide>>) -> Response {
        if exchange.is_none() {
            return self;
        }
        // The one thing that reqwest's conversion to `http` leaves out.
        let mut url = response::Builder::new().url(self.url().clone());
        let response = ::http::Response::from(self).traced(exchange);
        let (mut head, body) = response.into_parts();
        if let Some(url) = url.extensions_mut() {
            head.extensions.extend(mem::take(url));
        }
        Response::from(::http::Response::from_parts(head, Body::wrap(body)))
    }
}
