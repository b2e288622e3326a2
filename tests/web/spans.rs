//! Servers whose requests have spans, which are read back by the trace id that the response names.

use axum::extract::MatchedPath;
use axum::Router;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::{Request, Response};
use kamon::http::ServerLayer;
use kamon::propagation::Codecs;
use std::sync::Once;

use kamon::report::outline;
use kamon::task::yield_now;
use kamon::trace::SpanRecord;
use kamon::{Key, TraceId};

use crate::web::{self, Server};

/// The trace that the response says it belongs to.
#[track_caller]
pub(crate) fn trace_id<B>(response: &Response<B>) -> TraceId {
    let id = response.headers()["trace-id"].to_str().unwrap();
    TraceId::from_hex(id).unwrap()
}

/// The spans of a trace that are finished by now.
pub(crate) fn trace(id: TraceId) -> Vec<SpanRecord> {
    kamon::flush();
    let mut spans = kamon::recent_spans();
    spans.retain(|span| span.trace_id == id);
    spans
}

/// The only span of a trace, once it is finished.
pub(crate) async fn only_span(id: TraceId) -> SpanRecord {
    loop {
        let mut spans = trace(id);
        assert!(spans.len() <= 1, "{}", outline(&spans));
        match spans.pop() {
            Some(span) => return span,
            None => yield_now().await,
        }
    }
}

/// The only span of a trace, which is finished by now.
#[track_caller]
pub(crate) fn finished(id: TraceId) -> SpanRecord {
    let mut spans = trace(id);
    assert_eq!(spans.len(), 1, "{}", outline(&spans));
    spans.remove(0)
}

pub(crate) static SESSION: Key<Option<String>> = Key::broadcast_string("session");

/// Starts a server whose routes have spans. The process reads W3C's headers and a session.
pub(crate) async fn traced(router: Router) -> Server {
    layered(router, ServerLayer::new()).await
}

/// Has the process read and write W3C's headers, the trace token and a session.
pub(crate) fn use_codecs() {
    static CODECS: Once = Once::new();
    CODECS.call_once(|| {
        let codecs = Codecs::builder().http_headers("span", ["w3c", "trace-token"]);
        Codecs::set_current(codecs.string_key("session", "X-Session").build());
    });
}

pub(crate) async fn layered(router: Router, layer: ServerLayer) -> Server {
    use_codecs();
    web::start(router.layer(layer.name_by_route(MatchedPath::as_str))).await
}

/// Asks, and reads the answer to its end.
pub(crate) async fn ask(server: &Server, request: Request<Empty<Bytes>>) -> Response<String> {
    let mut connection = web::http1(server.address).await;
    let (head, body) = connection.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
}

/// The server's span of a response that was read to its end.
#[track_caller]
pub(crate) fn span_of<B>(response: &Response<B>) -> SpanRecord {
    finished(trace_id(response))
}
