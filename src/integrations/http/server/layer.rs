//! `ServerLayer`: how it is asked for.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;

use http::HeaderName;
use tower_layer::Layer;

use crate::integrations::http::server::metrics::ServerMetrics;
use crate::integrations::http::server::settings::Settings;
use crate::integrations::http::server::side::Server;
use crate::integrations::http::{RequestHead, ServerService, TagMode};
use crate::trace::TagKey;

/// Makes the Context of each request that comes in current, with a span of the request in it.
///
/// A tower layer for axum, hyper and tonic. The Context is read from the headers by
/// [`Codecs::current`](crate::propagation::Codecs::current), whatever was current before; the
/// span is a child of the one that came in, or begins a trace. Both are current for the handler and
/// for the polling of the response's body, and stay with what `kamon::spawn` spawns from there. What
/// axum's `on_upgrade` is given, as for a WebSocket, runs in a task of tokio's, so it is to be told:
/// `upgrade.on_upgrade(|socket| chat(socket).in_context(context))`, with the handler's `current_context()`.
///
/// # The span
///
/// It is finished with the last frame of the response's body or with the trailers. If the client
/// goes away before, it is `cancelled`; if the handler panics, or the status is 500 or above, or
/// gRPC says that the server failed, it has failed. Its name is, in this order, what
/// [`name_by`](ServerLayer::name_by) says, the method and the route that
/// [`name_by_route`](ServerLayer::name_by_route) finds, the gRPC method where the response is gRPC's
/// too, or the method alone: never the path, which has ids in it.
///
/// | tag | of | |
/// |---|---|---|
/// | `http.url` | span | see [`tag_url`](ServerLayer::tag_url) |
/// | `http.method` | metrics | see [`tag_method`](ServerLayer::tag_method) |
/// | `http.status_code` | metrics | see [`tag_status`](ServerLayer::tag_status) |
/// | `component` | metrics | see [`component`](ServerLayer::component) |
/// | `rpc.grpc.status_code` | span | |
///
/// # The response
///
/// Its headers `trace-id` and `x-trace-token` say under which id the request can be found, and the
/// codecs add theirs. Nothing else of requests and responses is changed: bodies stream, and
/// upgrades pass through.
///
/// # Metrics
///
/// | metric | |
/// |---|---|
/// | `http.server.requests` | counter, by `http.status_code` from `1xx` to `5xx` |
/// | `http.server.request.active` | range sampler |
/// | `http.server.request.size`, `http.server.response.size` | histograms; requests that do not say their size are not in it, nor are responses that were not sent to their end |
///
/// # Examples
///
/// ```
/// use axum::{extract::MatchedPath, routing::get, Router};
/// use kamon::http::ServerLayer;
///
/// let router: Router = Router::new()
///     .route("/users/{id}", get(|| async { "ada" }))
///     .layer(ServerLayer::new().name_by_route(MatchedPath::as_str));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ServerLayer {
    settings: Settings,
}

impl ServerLayer {
    /// Returns a layer that does what Kamon's HTTP toolkits do unless they are told otherwise.
    pub fn new() -> Self {
        ServerLayer::default()
    }

    /// Names operations by this function, unless it says nothing.
    ///
    /// Each name is a time series: it should not have ids in it. A function that panics says
    /// nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::http::ServerLayer;
    ///
    /// let layer = ServerLayer::new().name_by(|head| match head.uri().path() {
    ///     "/health" => Some("health-check".into()),
    ///     _ => None,
    /// });
    /// ```
    pub fn name_by<F>(mut self, name: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<TagKey> + Send + Sync + 'static,
    {
        self.settings.said.naming.by(name);
        self
    }

    /// Names operations by the method and the route that another layer has put into the request's
    /// extensions, as `GET /users/{id}`.
    ///
    /// axum's `MatchedPath` is there if the layer is added with `Router::layer` or
    /// `Router::route_layer`, and is not there yet in a layer around the whole router.
    pub fn name_by_route<E: Send + Sync + 'static>(mut self, route: fn(&E) -> &str) -> Self {
        self.settings.said.naming.by_route(route);
        self
    }

    /// Says what serves, in the tag `component` of spans and metrics: `http.server` without this.
    pub fn component(mut self, component: impl Into<TagKey>) -> Self {
        self.settings.place.component = component.into();
        self
    }

    /// Says where it serves, in the tags `interface` and `port` of the metrics.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.settings.place.address = Some(address);
        self
    }

    /// Says how the URL is said of spans.
    pub fn tag_url(mut self, mode: TagMode) -> Self {
        self.settings.said.url = mode;
        self
    }

    /// Says how the method is said of spans.
    pub fn tag_method(mut self, mode: TagMode) -> Self {
        self.settings.said.method = mode;
        self
    }

    /// Says how the response's status is said of spans.
    pub fn tag_status(mut self, mode: TagMode) -> Self {
        self.settings.said.status = mode;
        self
    }

    /// Says whether spans are measured, as they are without this.
    pub fn span_metrics(mut self, enabled: bool) -> Self {
        self.settings.said.metrics = enabled;
        self
    }

    /// Gives the trace's id to clients in this header; in none if there is none. `trace-id`
    /// without this.
    pub fn trace_id_header(mut self, name: Option<HeaderName>) -> Self {
        self.settings.trace_id = name;
        self
    }

    /// Gives the span's id to clients in this header, which is not done without this.
    pub fn span_id_header(mut self, name: Option<HeaderName>) -> Self {
        self.settings.span_id = name;
        self
    }

    /// Gives the [trace token](crate::propagation::trace_token) to clients in this header; in none
    /// of the layer's own if there is none. `x-trace-token` without this. The codec `trace-token`,
    /// which the default codecs have, writes its header besides.
    pub fn trace_token_header(mut self, name: Option<HeaderName>) -> Self {
        self.settings.trace_token = name;
        self
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, service: S) -> ServerService<S> {
        let server = Server {
            metrics: ServerMetrics::of(&self.settings.place),
            settings: self.settings.clone(),
            speaks_grpc: AtomicBool::new(false),
        };
        ServerService::new(service, Arc::new(server))
    }
}
