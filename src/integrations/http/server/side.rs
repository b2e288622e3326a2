//! What a server does with its exchanges.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use hyper::body::Bytes;

use crate::context::slot::Frame;
use crate::context::Context;
use crate::integrations::http::exchange::{Bodies, Exchange, Side, UNIMPLEMENTED};
use crate::integrations::http::server::metrics::ServerMetrics;
use crate::integrations::http::server::settings::Settings;
use crate::integrations::http::words::{self, TagMode};
use crate::integrations::http::RequestHead;
use crate::propagation::{trace_token_key, Codecs, Line};
use crate::trace::{build_span, Span, SpanKind};

/// The server's side of an exchange.
pub struct ServerSide {
    server: Arc<Server>,
}

/// What all exchanges of a server share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: Settings,
    pub(super) metrics: ServerMetrics,
}

/// What a call is called that no service knows of: anybody could make up names.
const UNHANDLED: &str = "unhandled";

impl ServerSide {
    /// Begins the exchange of a request that came in.
    pub(super) fn begin<B>(server: &Arc<Server>, request: &Request<B>) -> Exchange<ServerSide> {
        let Settings { said, place, .. } = &server.settings;
        let head = RequestHead::of(request);
        let (came_in, caller) = Codecs::current().decode_request(request.headers());
        let name = said.naming.name(&head);
        let name = name.unwrap_or_else(|| words::method(head.method()).into());
        let span = {
            let _frame = Frame::enter(&came_in);
            let mut span = build_span(name).with_kind(SpanKind::Server);
            if let Some(caller) = caller {
                span = span.with_remote_parent(caller);
            }
            said.start(span, &place.component, &head)
        };
        server.metrics.active.increment();
        if let Some(size) = head.body_size() {
            server.metrics.request_size.record(size);
        }
        let side = ServerSide {
            server: server.clone(),
        };
        let context = came_in.with_key(Span::key(), span);
        Exchange::new(context, Bodies::of(request.method()), side)
    }
}

impl Side for ServerSide {
    const FAILED: &'static str = "the service failed";
    const NEEDS_WHOLE_BODY: bool = true;

    fn status_mode(&self) -> TagMode {
        self.server.settings.said.status
    }

    /// As with HTTP, what the client did wrong is no failure of the server: failures are `UNKNOWN`,
    /// `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`.
    fn is_failure(&self, grpc_status: &str) -> bool {
        matches!(grpc_status, "2" | "4" | UNIMPLEMENTED | "13" | "14" | "15")
    }

    fn unimplemented(&self, span: &Span) {
        span.set_operation_name(UNHANDLED);
    }

    fn responded(&mut self, context: &Context, status: StatusCode, headers: &mut HeaderMap) {
        let settings = &self.server.settings;
        if let Some(requests) = self.server.metrics.requests(status) {
            requests.increment();
        }
        let span = context.get(Span::key());
        Codecs::current().encode_response_headers(context, headers);
        if span.is_empty() {
            return;
        }
        let trace_id = line(Line::new().trace_id(span.trace_id()));
        if let Some(name) = &settings.trace_token {
            // Without one that came in, the trace's id is the token.
            match context.get(trace_token_key()) {
                Some(token) => insert(headers, name, HeaderValue::from_str(token).ok()),
                None => insert(headers, name, trace_id.clone()),
            }
        }
        if let Some(name) = &settings.trace_id {
            insert(headers, name, trace_id);
        }
        if let Some(name) = &settings.span_id {
            insert(headers, name, line(Line::new().span_id(span.id())));
        }
    }

    fn over(&mut self, sent: Option<u64>) {
        self.server.metrics.active.decrement();
        if let Some(sent) = sent {
            self.server.metrics.response_size.record(sent);
        }
    }
}

/// Puts a header in, unless its value has something in it that no header may have.
fn insert(headers: &mut HeaderMap, name: &HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}

/// The value of a header, which may stand in several.
fn line(line: &Line) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from_owner(*line)).ok()
}

impl fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSide").finish_non_exhaustive()
    }
}
