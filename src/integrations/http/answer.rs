//! Responses: `http`'s, and those of clients that have a type of their own.

use http::Response;
use http_body::Body;

use crate::integrations::http::exchange::{Exchange, Side};
use crate::integrations::http::ExchangeBody;

/// A response, whose body may take its exchange along.
///
/// Implemented by [`http::Response`], and by reqwest's with the feature `reqwest`.
pub trait Answer<S: Side>: Sized {
    /// The response with an exchange in its body.
    type Traced;

    /// Says of the exchange what the head says, and gives it to the body.
    #[doc(hidden)]
    fn traced(self, exchange: Option<Exchange<S>>) -> Self::Traced;
}

impl<S: Side, B: Body> Answer<S> for Response<B> {
    type Traced = Response<ExchangeBody<B, S>>;

    fn traced(self, mut exchange: Option<Exchange<S>>) -> Self::Traced {
        let (mut head, body) = self.into_parts();
        let announced = match &mut exchange {
            Some(exchange) => exchange.respond(head.status, &mut head.headers),
            None => None,
        };
        let body = ExchangeBody::new(exchange, announced, body);
        Response::from_parts(head, body)
    }
}
