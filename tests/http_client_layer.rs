//! `ClientLayer`: within a span, each request has a span of its own and takes the Context along.
#![cfg(feature = "http")]

mod traced;
mod web;
mod witness;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Once;

use axum::extract::{MatchedPath, Path};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::Router;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::Client;
use kamon::http::{ClientLayer, ClientService, Executor, ServerLayer, TagMode, Timer};
use kamon::propagation::{trace_token_key, Codecs};
use kamon::report::outline;
use kamon::trace::{Outcome, TagValue};
use kamon::{build_span, Context, ContextFutureExt as _, Key, SpanKind};
use tower_layer::Layer as _;
use tower_service::Service as _;
use traced::{below, trace_of};
use web::{request, start};
use witness::{on_each, workers, Log};

static SESSION: Key<Option<String>> = Key::broadcast_string("session");

type Http = ClientService<Client<HttpConnector, Empty<Bytes>>>;

/// A client. The process writes B3's headers, the trace token and a session.
fn client(layer: ClientLayer) -> Http {
    static CODECS: Once = Once::new();
    CODECS.call_once(|| {
        let codecs = Codecs::builder().http_headers("span", ["b3", "trace-token"]);
        Codecs::set_current(codecs.string_key("session", "X-Session").build());
    });
    let client = Client::builder(Executor).pool_timer(Timer).build_http();
    layer.layer(client)
}

async fn ask(
    client: &mut Http,
    address: SocketAddr,
    path: &str,
) -> Result<(StatusCode, String), hyper_util::client::legacy::Error> {
    poll_fn(|cx| client.poll_ready(cx)).await?;
    let answer = client
        .call(request(&format!("http://{address}{path}")))
        .await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Ok((head.status, String::from_utf8(body.to_vec()).unwrap()))
}

/// Tells which of these headers came in.
async fn tell(headers: HeaderMap) -> String {
    let names = [
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-trace-token",
        "x-session",
    ];
    let told = names.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().unwrap();
        Some(format!("{name}={value};"))
    });
    told.collect()
}

#[test]
fn one_trace_in_two_services() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut client = client(ClientLayer::new().name_by(|head| {
                let path = head.uri().path();
                Some(path.trim_start_matches('/').to_owned().into())
            }));
            let inner = |Path(part): Path<String>| async move {
                let session = kamon::current_context().get(&SESSION).clone();
                format!("{part} of {}", session.unwrap_or_default())
            };
            let layer = ServerLayer::new().name_by_route(MatchedPath::as_str);
            let server = start(Router::new().route("/{part}", get(inner)).layer(layer)).await;
            let span = build_span("request").start();
            let context = Context::empty().with_key(&SESSION, Some("blue".into()));
            let asking = async {
                for part in ["profiles", "projects"] {
                    let answer = ask(&mut client, server.address, &format!("/{part}")).await;
                    assert_eq!(answer.unwrap().1, format!("{part} of blue"));
                }
            };
            asking.in_span(span.clone()).in_context(context).await;
            let mut spans = trace_of(&span);
            // Both ends of a call say which URL it was; one is enough here.
            for span in &mut spans {
                if span.kind == SpanKind::Client {
                    assert_eq!(span.tag("category").unwrap().as_str(), Some("http-client"));
                    span.tags.retain(|(key, _)| key == "library");
                }
            }
            assert_eq!(
                outline(&spans),
                "request\n\
                 ├─ profiles (client) {library=hyper}\n\
                 │  └─ GET /{part} (server) {http.url=http://localhost/profiles}\n\
                 └─ projects (client) {library=hyper}\n   \
                    └─ GET /{part} (server) {http.url=http://localhost/projects}\n"
            );
        });
    });
}

#[test]
fn the_headers_are_those_of_the_clients_span() {
    workers(1).block_on(async {
        let mut client = client(ClientLayer::new());
        let server = start(Router::new().route("/", get(tell))).await;
        let span = build_span("request").start();
        let asking = ask(&mut client, server.address, "/").in_span(span.clone());
        let told = asking.await.unwrap().1;
        let call = below(&span);
        let expected = format!(
            "x-b3-traceid={};x-b3-spanid={};x-b3-parentspanid={};x-b3-sampled=1;x-trace-token={};",
            call.trace_id,
            call.id,
            span.id(),
            call.trace_id
        );
        assert_eq!(told, expected);
        assert_eq!(call.kind, SpanKind::Client);
        assert_eq!(call.operation, "127.0.0.1");
        assert_eq!(call.metric_tag("component"), Some("http.client"));
        assert_eq!(call.metric_tag("http.method"), Some("GET"));
        assert_eq!(call.metric_tag("http.status_code"), Some("200"));
        let url = call.tag("http.url").unwrap().as_str();
        assert_eq!(url, Some(&*format!("http://{}/", server.address)));
    });
}

#[test]
fn outside_of_spans_and_tokens_nothing_is_added() {
    workers(1).block_on(async {
        let mut client = client(ClientLayer::new());
        let server = start(Router::new().route("/", get(tell))).await;
        let session = Context::empty().with_key(&SESSION, Some("blue".into()));
        let asking = ask(&mut client, server.address, "/").in_context(session.clone());
        assert_eq!(asking.await.unwrap().1, "");
        let token = session.with_key(trace_token_key(), Some("cart-7".into()));
        let asking = ask(&mut client, server.address, "/").in_context(token);
        let told = asking.await.unwrap().1;
        assert_eq!(told, "x-trace-token=cart-7;x-session=blue;");
    });
}

#[test]
fn the_outcome_is_the_spans() {
    workers(1).block_on(async {
        let mut client = client(ClientLayer::new());
        let server = start(web::by_code()).await;
        for code in [200, 302, 404, 499, 500, 503, 600] {
            let span = build_span("request").start();
            let path = format!("/{code}");
            let asking = ask(&mut client, server.address, &path).in_span(span.clone());
            assert_eq!(asking.await.unwrap().0, code);
            let call = below(&span);
            assert_eq!(call.failed, code >= 500, "{code}");
            let message = call.tag("error.message").map(TagValue::to_string);
            let failed = format!("Request failed with HTTP Status Code {code}");
            assert_eq!(message, (code >= 500).then_some(failed));
        }
        let address = server.address;
        server.shut_down().await.unwrap();
        let span = build_span("request").start();
        let asking = ask(&mut client, address, "/200").in_span(span.clone());
        assert!(asking.await.is_err());
        let call = below(&span);
        assert_eq!((call.failed, call.outcome), (true, Outcome::Finished));
        let message = call.tag("error.message").unwrap().as_str();
        assert_eq!(message, Some("the request failed"));
    });
}

#[test]
fn requests_that_are_given_up_are_cancelled() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let (to_handler, to_body) = (log.clone(), log.clone());
            let stuck = move || async move {
                to_handler.note("handling");
                std::future::pending::<()>().await
            };
            let endless = move || async move { web::endless(to_body.on_drop("body dropped")) };
            let router = Router::new()
                .route("/stuck", get(stuck))
                .route("/endless", get(endless));
            let server = start(router).await;
            let mut client = client(ClientLayer::new());

            let span = build_span("request").start();
            let url = format!("http://{}/stuck", server.address);
            let call = kamon::with_span(&span, || client.call(request(&url)));
            let asked = kamon::spawn(call);
            log.seen("handling", 1).await;
            asked.abort();
            assert!(asked.await.unwrap_err().is_cancelled());
            assert_eq!(below(&span).outcome, Outcome::Cancelled);

            // Who has the response and does not want all of its body has not given up.
            let span = build_span("request").start();
            let url = format!("http://{}/endless", server.address);
            let call = kamon::with_span(&span, || client.call(request(&url)));
            let answer = call.await.unwrap();
            assert_eq!(trace_of(&span).len(), 0);
            drop(answer);
            assert_eq!(below(&span).outcome, Outcome::Finished);
        });
    });
}

#[test]
fn pooled_connections_keep_nothing_of_a_request() {
    on_each(|runtime| {
        runtime.block_on(async {
            let tally = witness::Tally::new();
            let mut client = client(ClientLayer::new());
            let server = start(Router::new().route("/", get(|| async { "answer" }))).await;
            for number in 1..10 {
                let asking = ask(&mut client, server.address, "/");
                let asking = asking.in_span(build_span("request").start());
                asking.in_context(tally.request(number)).await.unwrap();
                assert_eq!(tally.alive(), 0);
            }
        });
    });
}

#[test]
fn what_is_said_can_be_chosen() {
    workers(1).block_on(async {
        let layer = ClientLayer::new()
            .component("shop.client")
            .library("tonic")
            .tag_url(TagMode::Off)
            .tag_method(TagMode::Span)
            .tag_status(TagMode::Off);
        let mut client = client(layer);
        let server = start(Router::new().route("/", get(|| async {}))).await;
        let span = build_span("request").start();
        let asking = ask(&mut client, server.address, "/").in_span(span.clone());
        asking.await.unwrap();
        let call = below(&span);
        let tags = call.tags.iter();
        let tags: Vec<_> = tags.map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            tags,
            ["category=http-client", "library=tonic", "http.method=GET"]
        );
        let metric_tags = [("component".into(), "shop.client".into())];
        assert_eq!(call.metric_tags, metric_tags);
    });
}
