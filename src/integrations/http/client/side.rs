//! What a client does with its exchanges.

use std::fmt;
use std::sync::Arc;

use crate::context::slot;
use crate::integrations::http::client::settings::Settings;
use crate::integrations::http::exchange::{Bodies, Exchange, Side};
use crate::integrations::http::together::Together;
use crate::integrations::http::words::{self, TagMode};
use crate::integrations::http::{names, naming};
use crate::integrations::http::{Outgoing, RequestHead};
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
    pub(super) fn begin<R: Outgoing>(
        settings: &Arc<Settings>,
        request: &mut R,
    ) -> Option<Exchange<ClientSide>> {
        let current = slot::current();
        if current.get(Span::key()).is_empty() {
            if current.get(trace_token_key()).is_some() {
                Codecs::current().encode_headers(&current, request.headers_mut());
            }
            return None;
        }
        let (span, bodies) =
            request.with_head(|head| (start::<R>(settings, head), Bodies::of(head.method())));
        let side = ClientSide {
            settings: settings.clone(),
        };
        let mut exchange = Exchange::new(span, current, bodies, side);
        let mut headers = Together::<12, 384>::new(request.headers_mut());
        Codecs::current().encode_headers(exchange.context(), &mut headers);
        drop(headers);
        Some(exchange)
    }
}

fn start<R: Outgoing>(settings: &Settings, head: &RequestHead<'_>) -> Span {
    let name = settings.said.naming.name(head);
    let name = name.or_else(|| naming::of_grpc(head));
    let name = name.unwrap_or_else(|| match words::host_name(head) {
        Some(host) => names::host(host),
        None => UNKNOWN_HOST.into(),
    });
    let span = build_span(name).with_kind(SpanKind::Client);
    let Settings {
        said, component, ..
    } = settings;
    said.start(span, component, head, |saying| {
        saying.tag("category", "http-client");
        match &settings.library {
            Some(library) => saying.tag("library", library.clone()),
            None => saying.tag("library", R::LIBRARY),
        }
    })
}

impl Side for ClientSide {
    const FAILED: &'static str = "the request failed";

    /// Whoever asked may have seen enough.
    const NEEDS_WHOLE_BODY: bool = false;

    fn status_mode(&self) -> TagMode {
        self.settings.said.status
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
