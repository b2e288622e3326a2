//! The tracing of each, set up as in production: spans go to a thread in the background, which
//! drops them, or to the ring that is always there.

use fastrace_tower::{FastraceServerLayer, FastraceServerService};
use kamon::http::{ServerLayer, ServerService};
use kamon::propagation::Codecs;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::{Trace, TraceLayer};
use tower_layer::Layer as _;

use crate::http::hello::Hello;
use crate::span::rivals;

type Traced = Trace<Hello, SharedClassifier<ServerErrorsAsFailures>>;

/// kamon's, with metrics, tags and the headers of the response, as it is unless told otherwise.
pub(crate) fn kamon() -> ServerService<Hello> {
    Codecs::set_current(Codecs::builder().http_headers("span", ["w3c"]).build());
    ServerLayer::new().layer(Hello)
}

/// fastrace's: a span with the method as its name.
pub(crate) fn fastrace() -> FastraceServerService<Hello> {
    rivals::report_fastrace();
    FastraceServerLayer::default().layer(Hello)
}

/// tower-http's, with `tracing`'s registry behind it, which keeps what spans say and tells nobody.
pub(crate) fn tower_http() -> Traced {
    rivals::subscribe_registry();
    TraceLayer::new_for_http().layer(Hello)
}

/// The same, with spans that go to OpenTelemetry's batch processor. The layer does not read headers.
pub(crate) fn opentelemetry() -> Traced {
    rivals::subscribe_opentelemetry();
    TraceLayer::new_for_http().layer(Hello)
}
