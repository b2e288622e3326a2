//! What a client does with its exchanges.

use std::fmt;
use std::sync::Arc;

use http::Request;

use crate::context::slot;
use crate::integrations::http::client::settings::Settings;
use crate::integrations::http::exchange::{Exchange, Side};
use crate::integrations::http::words::{self, TagMode, Url};
use crate::integrations::http::RequestHead;
use crate::propagation::{trace_token_key, Codecs};
use crate::trace::{build_span, Span, SpanKind};

/// The client's side of an exchange.
pub struct ClientSide {
    settings: Arc<Settings>,
}

/// What a request to nobody is called.
const UNKNOWN_HOST: &str = "unknown-host";

impl ClientSide {
    /// Begins the exchange of a request that goes out, if it goes out in a span. Within a trace
    /// token alone there is nothing to measure, and the token goes along all the same.
    pub(super) fn begin<B>(
        settings: &Arc<Settings>,
        request: &mut Request<B>,
    ) -> Option<Exchange<ClientSide>> {
        let current = slot::current();
        if current.get(Span::key()).is_empty() {
            if current.get(trace_token_key()).is_some() {
                Codecs::current().encode_headers(&current, request.headers_mut());
            }
            return None;
        }
        let span = start(settings, &RequestHead::of(request));
        let context = current.with_key(Span::key(), span);
        Codecs::current().encode_headers(&context, request.headers_mut());
        let side = ClientSide {
            settings: settings.clone(),
        };
        Some(Exchange::new(context, request.method(), side))
    }
}

fn start(settings: &Settings, head: &RequestHead<'_>) -> Span {
    let method = words::method(head.method());
    let name = settings.naming.name(head);
    let name = name.unwrap_or_else(|| match words::host(head) {
        Some(host) => host.to_owned().into(),
        None => UNKNOWN_HOST.into(),
    });
    let mut span = build_span(name)
        .with_kind(SpanKind::Client)
        .with_tag("category", "http-client")
        .with_tag("library", settings.library.clone())
        .with_metric_tag("component", settings.component.clone());
    if settings.method == TagMode::Metric {
        span = span.with_metric_tag("http.method", method);
    }
    if settings.url == TagMode::Metric {
        span = span.with_metric_tag("http.url", Url(*head));
    }
    let span = span.start();
    if settings.method == TagMode::Span {
        span.tag("http.method", method);
    }
    if settings.url == TagMode::Span {
        span.tag("http.url", Url(*head));
    }
    span
}

impl Side for ClientSide {
    const FAILED: &'static str = "the request failed";

    /// Whoever asked may have seen enough.
    const NEEDS_WHOLE_BODY: bool = false;

    fn status_mode(&self) -> TagMode {
        self.settings.status
    }

    fn is_failure(&self, _: &str) -> bool {
        true
    }
}

impl fmt::Debug for ClientSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSide").finish_non_exhaustive()
    }
}
