//! tonic through both layers: a call is one span on either side, whatever streams within it.
#![cfg(feature = "http")]

mod grpc;
mod traced;
mod witness;

use std::sync::Once;

use futures_lite::{stream, StreamExt as _};
use grpc::{start, GreeterClient};
use kamon::propagation::Codecs;
use kamon::report::outline;
use kamon::task::yield_now;
use kamon::trace::{Outcome, SpanRecord};
use kamon::{build_span, ContextFutureExt as _, Span, SpanKind};
use tonic::Code;
use traced::trace_of;
use witness::{on_each, workers};

const GREET: &str = "/test.Greeter/Greet";

/// The service's client. The process reads and writes W3C's headers.
async fn client() -> GreeterClient {
    static CODECS: Once = Once::new();
    CODECS.call_once(|| {
        Codecs::set_current(Codecs::builder().http_headers("span", ["w3c"]).build());
    });
    GreeterClient::of(start().await)
}

/// The spans of a trace, once there are so many of them.
async fn spans(of: &Span, count: usize) -> Vec<SpanRecord> {
    loop {
        let spans = trace_of(of);
        assert!(spans.len() <= count, "{}", outline(&spans));
        if spans.len() == count {
            return spans;
        }
        yield_now().await;
    }
}

/// The trace as text, with nothing of the tags but gRPC's.
fn draw(mut spans: Vec<SpanRecord>) -> String {
    for span in &mut spans {
        span.tags.retain(|(key, _)| key.starts_with("rpc."));
    }
    outline(&spans)
}

fn of_kind(spans: &[SpanRecord], kind: SpanKind) -> &SpanRecord {
    let mut of_kind = spans.iter().filter(|span| span.kind == kind);
    of_kind.next().unwrap()
}

#[test]
fn a_unary_call_is_one_span_on_either_side() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut client = client().await;
            let request = build_span("request").start();
            let call = client.unary(GREET, "ada").in_span(request.clone());
            assert_eq!(call.await.unwrap(), "hello ada");
            assert_eq!(
                draw(spans(&request, 4).await),
                "request\n\
                 └─ test.Greeter/Greet (client) {rpc.grpc.status_code=0}\n   \
                    └─ test.Greeter/Greet (server) {rpc.grpc.status_code=0}\n      \
                       └─ look-up\n"
            );
        });
    });
}

#[test]
fn an_error_is_the_clients_and_the_servers_if_it_was_at_fault() {
    workers(2).block_on(async {
        let mut client = client().await;
        for (code, fault_of_server) in [
            (Code::Cancelled, false),
            (Code::Unknown, true),
            (Code::InvalidArgument, false),
            (Code::DeadlineExceeded, true),
            (Code::NotFound, false),
            (Code::PermissionDenied, false),
            (Code::Internal, true),
            (Code::Unavailable, true),
            (Code::DataLoss, true),
            (Code::Unauthenticated, false),
        ] {
            let request = build_span("request").start();
            let name = (code as i32).to_string();
            let call = client.unary(GREET, &name).in_span(request.clone());
            assert_eq!(call.await.unwrap_err().code(), code);
            let spans = spans(&request, 3).await;
            let (client, server) = (
                of_kind(&spans, SpanKind::Client),
                of_kind(&spans, SpanKind::Server),
            );
            assert_eq!((client.failed, server.failed), (true, fault_of_server));
            for span in [client, server] {
                let said = span.tag("rpc.grpc.status_code").unwrap();
                assert_eq!(said.as_str(), Some(&*name));
                assert_eq!(span.outcome, Outcome::Finished);
            }
        }
    });
}

#[test]
fn a_method_that_nobody_knows_has_no_name_of_its_own() {
    workers(1).block_on(async {
        let mut client = client().await;
        let request = build_span("request").start();
        let call = client.unary("/test.Greeter/MadeUp", "ada");
        let error = call.in_span(request.clone()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
        let spans = spans(&request, 3).await;
        let server = of_kind(&spans, SpanKind::Server);
        assert_eq!((&*server.operation, server.failed), ("unhandled", true));
    });
}

#[test]
fn streams_go_both_ways_in_one_span() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut client = client().await;
            let request = build_span("request").start();
            let call = async {
                let names = stream::iter(["ada", "bob"].map(str::to_owned));
                let answers = client.greet_all(names).await.unwrap();
                answers.try_collect::<_, _, Vec<_>>().await.unwrap()
            };
            let answers = call.in_span(request.clone()).await;
            assert_eq!(answers, ["hello ada", "hello bob"]);
            assert_eq!(
                draw(spans(&request, 5).await),
                "request\n\
                 └─ test.Greeter/GreetAll (client) {rpc.grpc.status_code=0}\n   \
                    └─ test.Greeter/GreetAll (server) {rpc.grpc.status_code=0}\n      \
                       ├─ look-up\n      \
                       └─ look-up\n"
            );
        });
    });
}

#[test]
fn a_stream_may_fail_after_it_began() {
    workers(2).block_on(async {
        let mut client = client().await;
        let request = build_span("request").start();
        let call = async {
            let names = stream::iter(["ada", "13"].map(str::to_owned));
            let mut answers = client.greet_all(names).await.unwrap();
            assert_eq!(answers.message().await.unwrap().unwrap(), "hello ada");
            answers.message().await.unwrap_err()
        };
        let error = call.in_span(request.clone()).await;
        assert_eq!(error.code(), Code::Internal);
        let spans = spans(&request, 4).await;
        for kind in [SpanKind::Client, SpanKind::Server] {
            let span = of_kind(&spans, kind);
            assert_eq!((span.failed, span.outcome), (true, Outcome::Finished));
            assert_eq!(span.metric_tag("http.status_code"), Some("200"));
        }
    });
}

#[test]
fn a_stream_that_is_given_up_is_cancelled_at_the_server() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut client = client().await;
            let request = build_span("request").start();
            let call = async {
                let names = stream::iter(["ada", "nobody"].map(str::to_owned));
                let mut answers = client.greet_all(names).await.unwrap();
                assert_eq!(answers.message().await.unwrap().unwrap(), "hello ada");
            };
            call.in_span(request.clone()).await;
            let spans = spans(&request, 4).await;
            let client = of_kind(&spans, SpanKind::Client);
            assert_eq!((client.failed, client.outcome), (false, Outcome::Finished));
            let server = of_kind(&spans, SpanKind::Server);
            assert_eq!(server.outcome, Outcome::Cancelled);
        });
    });
}
