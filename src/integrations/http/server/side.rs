//! What a server does with its exchanges.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, StatusCode};

use crate::context::slot::Frame;
use crate::integrations::http::exchange::{
    Bodies, Exchange, Parts, Side, GRPC_STATUS, UNIMPLEMENTED,
};
use crate::integrations::http::head::is_grpc;
use crate::integrations::http::naming;
use crate::integrations::http::server::metrics::ServerMetrics;
use crate::integrations::http::server::settings::Settings;
use crate::integrations::http::together::Together;
use crate::integrations::http::words::{self, TagMode};
use crate::integrations::http::RequestHead;
use crate::propagation::{trace_token_key, Codecs, Line};
use crate::trace::{build_span, Span, SpanKind, TagKey};

/// The server's side of an exchange.
pub struct ServerSide {
    server: Arc<Server>,
    /// The gRPC method by which the span is called. That there is one only the client says.
    in_doubt: Option<TagKey>,
}

/// What all exchanges of a server share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) settings: Settings,
    pub(super) metrics: ServerMetrics,
    /// Whether it has answered in gRPC.
    pub(super) speaks_grpc: AtomicBool,
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
        let by_call = name.is_none().then(|| naming::of_grpc(&head)).flatten();
        let in_doubt = by_call.clone();
        let name = name
            .or(by_call)
            .unwrap_or_else(|| words::method(head.method()).into());
        let span = {
            let _frame = Frame::enter(&came_in);
            let mut span = build_span(name).with_kind(SpanKind::Server);
            if let Some(caller) = caller {
                span = span.with_remote_parent(caller);
            }
            said.start(span, &place.component, &head, |_| {})
        };
        server.metrics.active.increment();
        if let Some(size) = head.body_size() {
            server.metrics.request_size.record(size);
        }
        let side = ServerSide {
            server: server.clone(),
            in_doubt,
        };
        Exchange::new(span, came_in, Bodies::of(request.method()), side)
    }
}

impl ServerSide {
    /// There is no such method, as far as one can see. What the handler has called the span stays.
    fn rename(&mut self, span: &Span) {
        if self
            .in_doubt
            .take()
            .is_some_and(|name| *name == *span.operation_name())
        {
            span.set_operation_name(words::method(&Method::POST));
        }
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

    /// Without an answer in gRPC, the name is as good as a path, of which anybody could make up any number.
    fn broken_off(&mut self, span: &Span) {
        if !self.server.speaks_grpc.load(Ordering::Relaxed) {
            self.rename(span);
        }
    }

    fn responded(&mut self, mut parts: Parts<'_>, status: StatusCode, headers: &mut HeaderMap) {
        if self.in_doubt.is_some() {
            let content_type = headers.get(CONTENT_TYPE);
            if content_type.is_some_and(is_grpc) || headers.contains_key(&GRPC_STATUS) {
                self.server.speaks_grpc.store(true, Ordering::Relaxed);
                self.in_doubt = None;
            } else {
                self.rename(parts.span);
            }
        }
        let settings = &self.server.settings;
        if let Some(requests) = self.server.metrics.requests(status) {
            requests.increment();
        }
        let mut headers = Together::<4, 112>::new(headers);
        let codecs = Codecs::current();
        if codecs.answer() {
            codecs.encode_response_headers(parts.whole(), &mut headers);
        }
        let (span, below) = (parts.span, parts.below);
        if span.is_empty() {
            return;
        }
        let mut line = Line::new();
        line.trace_id(span.trace_id());
        let trace_id: &[u8] = line.as_ref();
        // Without one that came in, the trace's id is the token.
        let token = below.get(trace_token_key()).as_ref().map(String::as_bytes);
        for (name, value) in [
            (&settings.trace_token, token.unwrap_or(trace_id)),
            (&settings.trace_id, trace_id),
        ] {
            if let Some(name) = name {
                // What no header may have in it is in none.
                let _ = headers.add(name, value);
            }
        }
        if let Some(name) = &settings.span_id {
            let _ = headers.add(name, Line::new().span_id(span.id()).as_str().as_bytes());
        }
    }

    fn over(&mut self, sent: Option<u64>) {
        self.server.metrics.active.decrement();
        if let Some(sent) = sent {
            self.server.metrics.response_size.record(sent);
        }
    }
}

impl fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSide").finish_non_exhaustive()
    }
}
