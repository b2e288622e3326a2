//! `ClientLayer`: how it is asked for.

use std::sync::Arc;

use tower_layer::Layer;

use crate::integrations::http::client::settings::Settings;
use crate::integrations::http::{ClientService, RequestHead, TagMode};
use crate::trace::TagKey;

/// Sends the current Context along with each request, and makes a span of it.
///
/// A tower layer for hyper's client, tonic's channel and, with the feature `reqwest`, for
/// `reqwest::Client`. Where neither a span nor a trace token is
/// current, nothing is added. Otherwise the Context, with the request's span in it, is written to
/// the headers by [`Codecs::current`](crate::propagation::Codecs::current).
///
/// # The span
///
/// It is a child of the current one, and finished at the end of the response's body, or when
/// that is dropped; if the request is given up before there is a response, it is `cancelled`. It
/// has failed if there is no response, if the status is 500 or above, or if gRPC says so. It has the
/// name that [`name_by`](ClientLayer::name_by) says, that of the gRPC method, or that of the host without a port.
///
/// | tag | of | |
/// |---|---|---|
/// | `category` | span | `http-client` |
/// | `library` | span | see [`library`](ClientLayer::library) |
/// | `http.url` | span | see [`tag_url`](ClientLayer::tag_url) |
/// | `http.method` | metrics | see [`tag_method`](ClientLayer::tag_method) |
/// | `http.status_code` | metrics | see [`tag_status`](ClientLayer::tag_status) |
/// | `component` | metrics | see [`component`](ClientLayer::component) |
/// | `rpc.grpc.status_code` | span | |
///
/// # Examples
///
/// ```
/// use http_body_util::Empty;
/// use hyper::body::Bytes;
/// use hyper_util::client::legacy::Client;
/// use kamon::http::{ClientLayer, Executor};
/// use tower_layer::Layer as _;
///
/// let client = Client::builder(Executor).build_http::<Empty<Bytes>>();
/// let client = ClientLayer::new().layer(client);
/// # drop(client);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClientLayer {
    settings: Arc<Settings>,
}

impl ClientLayer {
    /// Returns a layer that does what Kamon's HTTP toolkits do unless they are told otherwise.
    pub fn new() -> Self {
        ClientLayer::default()
    }

    /// Names operations by this function, unless it says nothing.
    ///
    /// Each name is a time series: it should not have ids in it. A function that panics says
    /// nothing.
    pub fn name_by<F>(self, name: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<TagKey> + Send + Sync + 'static,
    {
        self.change(|settings| settings.said.naming.by(name))
    }

    /// Says what asks, in the metric tag `component`: `http.client` without this.
    pub fn component(self, component: impl Into<TagKey>) -> Self {
        self.change(|settings| settings.component = component.into())
    }

    /// Says which client this is a layer of, in the tag `library`. Without this it is that of
    /// the request: `hyper` for `http::Request`, `reqwest` for its own.
    pub fn library(self, library: impl Into<TagKey>) -> Self {
        self.change(|settings| settings.library = Some(library.into()))
    }

    /// Says how the URL is said of spans.
    pub fn tag_url(self, mode: TagMode) -> Self {
        self.change(|settings| settings.said.url = mode)
    }

    /// Says how the method is said of spans.
    pub fn tag_method(self, mode: TagMode) -> Self {
        self.change(|settings| settings.said.method = mode)
    }

    /// Says how the response's status is said of spans.
    pub fn tag_status(self, mode: TagMode) -> Self {
        self.change(|settings| settings.said.status = mode)
    }

    /// Says whether spans are measured, as they are without this.
    pub fn span_metrics(self, enabled: bool) -> Self {
        self.change(|settings| settings.said.metrics = enabled)
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, service: S) -> ClientService<S> {
        ClientService::new(service, self.settings.clone())
    }
}
