//! The HTTP client by which the service reaches the second one, with its pool of connections.

use std::error::Error;
use std::future::poll_fn;
use std::net::SocketAddr;

use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;

use kamon::http::{ClientLayer, ClientService, Executor, RequestHead, Timer};
use kamon::trace::TagKey;
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::request::{Ticket, X_CARRIED_ID, X_CARRIED_TOKEN, X_CONTEXT};

/// Asks the second service; its pooled connections outlive the requests that opened them.
pub(crate) struct Upstream {
    client: ClientService<Client<HttpConnector, Empty<Bytes>>>,
    address: SocketAddr,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // Its connections belong to no request: `Executor` runs them in the empty Context.
        let client = Client::builder(Executor).pool_timer(Timer).build(connector);
        Self {
            client: ClientLayer::new().name_by(part).layer(client),
            address,
        }
    }

    /// Asks for one part of what is known of the ticket's user.
    ///
    /// The client's layer sends the Context: its trace, its token, and the request's id. Here is only
    /// what the ticket says, for the second service to compare.
    pub(crate) async fn get(
        &self,
        part: &str,
        ticket: &Ticket,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let mut request = Request::get(format!("http://{}/{part}/{}", self.address, ticket.user))
            .header(X_CARRIED_ID, &*ticket.request_id)
            .header(X_CONTEXT, if ticket.in_context { "on" } else { "off" });
        if let Some(token) = &ticket.token {
            request = request.header(X_CARRIED_TOKEN, &**token);
        }
        let mut client = self.client.clone();
        poll_fn(|cx| client.poll_ready(cx)).await?;
        let response = client.call(request.body(Empty::new())?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK {
            return Err(format!("/{part} answered {status}").into());
        }
        Ok(String::from_utf8(body.into())?)
    }
}

/// What a call is named by: the first part of the path, which has no ids in it.
fn part(head: &RequestHead<'_>) -> Option<TagKey> {
    let part = head.uri().path().split('/').nth(1)?;
    Some(part.to_owned().into())
}
