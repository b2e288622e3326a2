//! Requests that are sent in spans.

use std::future::Future;
use std::sync::LazyLock;

use ::reqwest::{RequestBuilder, Response, Result};
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::integrations::http::ClientLayer;

/// Sends reqwest's requests as [`ClientLayer`] does.
///
/// # Examples
///
/// ```no_run
/// use kamon::reqwest::SendTraced as _;
///
/// # async fn profile(client: reqwest::Client) -> reqwest::Result<String> {
/// let answer = client.get("http://profiles/ada").send_traced().await?;
/// answer.error_for_status()?.text().await
/// # }
/// ```
pub trait SendTraced {
    /// Sends the request: if a span is current, with the Context and in a span of its own; with the Context
    /// if only a trace token is; otherwise as it is.
    ///
    /// As of any async function, nothing happens before the future is polled: the Context is the
    /// one of that poll, so that `in_span` and `in_context` do what they say. The span is finished
    /// at the end of the response's body, or when that is dropped; see [`ClientLayer`].
    ///
    /// # Errors
    ///
    /// Those of reqwest's `send`.
    fn send_traced(self) -> impl Future<Output = Result<Response>> + Send;

    /// The same, with names and tags as this layer has them.
    ///
    /// # Errors
    ///
    /// Those of reqwest's `send`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use kamon::http::ClientLayer;
    /// use kamon::reqwest::SendTraced as _;
    ///
    /// # async fn profile(client: reqwest::Client) -> reqwest::Result<reqwest::Response> {
    /// let layer = ClientLayer::new().name_by(|_| Some("find-profile".into()));
    /// client.get("http://profiles/ada").send_traced_by(&layer).await
    /// # }
    /// ```
    fn send_traced_by(self, layer: &ClientLayer) -> impl Future<Output = Result<Response>> + Send;
}

static LAYER: LazyLock<ClientLayer> = LazyLock::new(ClientLayer::new);

impl SendTraced for RequestBuilder {
    fn send_traced(self) -> impl Future<Output = Result<Response>> + Send {
        self.send_traced_by(&LAYER)
    }

    fn send_traced_by(self, layer: &ClientLayer) -> impl Future<Output = Result<Response>> + Send {
        let (client, request) = self.build_split();
        let mut service = layer.layer(client);
        // reqwest's client is always ready.
        async move { service.call(request?).await }
    }
}
