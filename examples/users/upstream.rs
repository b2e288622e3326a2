//! The HTTP client by which the service reaches the second one, with its pool of connections.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;

use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::rt::Executor;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;

use crate::request::{Ticket, REQUEST_ID, X_CARRIED_ID, X_CONTEXT, X_REQUEST_ID};

/// Asks the second service; its pooled connections outlive the requests that opened them.
pub(crate) struct Upstream {
    client: Client<HttpConnector, Empty<Bytes>>,
    address: SocketAddr,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(Detached).build(connector),
            address,
        }
    }

    /// Asks for one part of what is known of the ticket's user.
    ///
    /// The id in the request's header is what the current Context says, as it would be in any
    /// client that knows nothing of tickets. A request without a Context sends the same headers.
    pub(crate) async fn get(
        &self,
        part: &str,
        ticket: &Ticket,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let mut request = Request::get(format!("http://{}/{part}/{}", self.address, ticket.user))
            .header(X_CARRIED_ID, &*ticket.request_id)
            .header(X_CONTEXT, if ticket.in_context { "on" } else { "off" });
        if !ticket.in_context {
            request = request.header(X_REQUEST_ID, &*ticket.request_id);
        } else if let Some(id) = kamon::current_context().get(&REQUEST_ID) {
            request = request.header(X_REQUEST_ID, id);
        }
        let response = self.client.request(request.body(Empty::new())?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK {
            return Err(format!("/{part} answered {status}").into());
        }
        Ok(String::from_utf8(body.into())?)
    }
}

/// Runs the client's connections in the empty Context: they belong to no request.
#[derive(Clone)]
struct Detached;

impl<F> Executor<F> for Detached
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, connection: F) {
        kamon::spawn_root(connection);
    }
}
