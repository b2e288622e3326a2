//! The tracing of each, set up as in production: spans go to a thread in the background, which
//! drops them, or to the ring that is always there.

use fastrace_tower::{FastraceServerLayer, FastraceServerService};
use kamon::http::{ServerLayer, ServerService};
use kamon::propagation::Codecs;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::{Trace, TraceLayer};
use tower_layer::Layer as _;

use crate::span::rivals;

type Traced<S> = Trace<S, SharedClassifier<ServerErrorsAsFailures>>;

/// kamon's, with metrics, tags and the headers of the response, as it is unless told otherwise.
pub(crate) fn kamon<S>(service: S) -> ServerService<S> {
    Codecs::set_current(Codecs::builder().http_headers("span", ["w3c"]).build());
    ServerLayer::new().layer(service)
}

/// fastrace's: a span with the method as its name.
pub(crate) fn fastrace<S>(service: S) -> FastraceServerService<S> {
    rivals::report_fastrace();
    FastraceServerLayer::default().layer(service)
}

/// tower-http's, with `tracing`'s registry behind it, which keeps what spans say and tells nobody.
pub(crate) fn tower_http<S>(service: S) -> Traced<S> {
    rivals::subscribe_registry();
    TraceLayer::new_for_http().layer(service)
}

/// The same, with spans that go to OpenTelemetry's batch processor. The layer does not read headers.
pub(crate) fn opentelemetry<S>(service: S) -> Traced<S> {
    rivals::subscribe_opentelemetry();
    TraceLayer::new_for_http().layer(service)
}
