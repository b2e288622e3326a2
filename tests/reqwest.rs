//! reqwest through `ClientLayer`: the Context goes along, and each request has a span.
#![cfg(feature = "reqwest")]

mod traced;
mod web;
mod witness;

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::get;
use axum::Router;
use futures_lite::{stream, StreamExt as _};
use kamon::http::{ClientLayer, ServerLayer, TagMode};
use kamon::propagation::trace_token_key;
use kamon::report::outline;
use kamon::reqwest::SendTraced as _;
use kamon::task::yield_now;
use kamon::trace::Outcome;
use kamon::{build_span, Context, ContextFutureExt as _};
use reqwest::{Client, Request};
use tokio::sync::Notify;
use tower_layer::Layer as _;
use tower_service::Service as _;
use traced::{below, trace_of};
use web::spans::{use_codecs, SESSION};
use web::{start, Server};
use witness::{on_each, workers, Log, Tally};

/// A server with spans, and a client. The process reads and writes W3C's headers and a session.
async fn both(router: Router) -> (Server, Client) {
    use_codecs();
    let layer = ServerLayer::new().name_by_route(MatchedPath::as_str);
    (start(router.layer(layer)).await, Client::new())
}

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

#[test]
fn a_request_takes_the_context_along() {
    on_each(|runtime| {
        runtime.block_on(async {
            let handler = || async {
                let session = kamon::current_context().get(&SESSION).clone();
                format!("hello {}", session.unwrap_or_default())
            };
            let (server, client) = both(Router::new().route("/users", get(handler))).await;
            let span = build_span("request").start();
            let asking = async {
                let request = client.get(url(&server, "/users")).header("x-own", "kept");
                let answer = request.send_traced().await.unwrap();
                assert_eq!(answer.url().path(), "/users");
                assert_eq!(answer.content_length(), Some(10));
                answer.text().await.unwrap()
            };
            let context = Context::empty().with_key(&SESSION, Some("blue".into()));
            let asking = asking.in_span(span.clone()).in_context(context);
            assert_eq!(asking.await, "hello blue");
            let call = below(&span);
            assert_eq!(call.operation, "127.0.0.1");
            assert_eq!(call.tag("category").unwrap().as_str(), Some("http-client"));
            assert_eq!(call.tag("library").unwrap().as_str(), Some("reqwest"));
            let asked = call.tag("http.url").unwrap().as_str().unwrap();
            assert_eq!(asked, url(&server, "/users"));
            assert_eq!(call.metric_tag("http.method"), Some("GET"));
            assert_eq!(call.metric_tag("http.status_code"), Some("200"));
            assert_eq!((call.failed, call.outcome), (false, Outcome::Finished));
            let mut spans = trace_of(&span);
            spans.iter_mut().for_each(|span| span.tags.clear());
            assert_eq!(
                outline(&spans),
                "request\n└─ 127.0.0.1 (client)\n   └─ GET /users (server)\n"
            );
        });
    });
}

#[test]
fn outside_of_spans_and_tokens_nothing_is_added() {
    workers(1).block_on(async {
        let tell = |headers: HeaderMap| async move {
            let names = ["traceparent", "x-trace-token", "x-session"];
            let told = names.iter().filter_map(|name| headers.get(*name));
            let told: Vec<_> = told.map(|value| value.to_str().unwrap()).collect();
            told.join(" ")
        };
        let (server, client) = both(Router::new().route("/", get(tell))).await;
        let ask = || client.get(url(&server, "/"));
        let session = Context::empty().with_key(&SESSION, Some("blue".into()));
        let asking = async { ask().send_traced().await.unwrap().text().await.unwrap() };
        assert_eq!(asking.in_context(session.clone()).await, "");
        let token = session.with_key(trace_token_key(), Some("cart-7".into()));
        let asking = async { ask().send_traced().await.unwrap().text().await.unwrap() };
        assert_eq!(asking.in_context(token).await, "cart-7 blue");
    });
}

#[test]
fn the_context_is_the_one_of_the_first_poll() {
    workers(1).block_on(async {
        let (server, client) = both(Router::new().route("/", get(|| async {}))).await;
        let span = build_span("request").start();
        let sent = kamon::with_span(&span, || client.get(url(&server, "/")).send_traced());
        drop(sent.await.unwrap());
        assert_eq!(trace_of(&span).len(), 0);
        let sent = client.get(url(&server, "/")).send_traced();
        drop(sent.in_span(span.clone()).await.unwrap());
        assert_eq!(below(&span).outcome, Outcome::Finished);
    });
}

#[test]
fn a_request_that_is_given_up_is_cancelled() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let to_handler = log.clone();
            let stuck = move || async move {
                to_handler.note("handling");
                std::future::pending::<()>().await
            };
            let (server, client) = both(Router::new().route("/", get(stuck))).await;
            let span = build_span("request").start();
            let request = client.get(url(&server, "/")).send_traced();
            let asked = kamon::with_span(&span, || kamon::spawn(request));
            log.seen("handling", 1).await;
            asked.abort();
            assert!(asked.await.unwrap_err().is_cancelled());
            assert_eq!(below(&span).outcome, Outcome::Cancelled);
        });
    });
}

#[test]
fn the_outcome_is_the_spans() {
    workers(1).block_on(async {
        let (server, client) = both(web::by_code()).await;
        for code in [200, 404, 499, 500, 503] {
            let span = build_span("request").start();
            let request = client.get(url(&server, &format!("/{code}")));
            let asking = request.send_traced().in_span(span.clone());
            assert_eq!(asking.await.unwrap().status(), code);
            assert_eq!(below(&span).failed, code >= 500, "{code}");
        }
        let refused = url(&server, "/200");
        server.shut_down().await.unwrap();
        // A URL that is none has no span: there is no request.
        let span = build_span("request").start();
        let asking = client.get("not a url").send_traced().in_span(span.clone());
        assert!(asking.await.unwrap_err().is_builder());
        assert_eq!(trace_of(&span).len(), 1);
        let span = build_span("request").start();
        // A client that has no old connection in its pool, which would fail otherwise.
        let request = async { Client::new().get(refused).send_traced().await };
        assert!(request
            .in_span(span.clone())
            .await
            .unwrap_err()
            .is_connect());
        let call = below(&span);
        assert_eq!((call.failed, call.outcome), (true, Outcome::Finished));
    });
}

#[test]
fn a_span_lasts_as_long_as_the_body() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let gate = Arc::new(Notify::new());
            let whole = || async { Body::from_stream(stream::iter([Ok::<_, Infallible>("once")])) };
            let broken = {
                let gate = gate.clone();
                move || async move {
                    let then = async move {
                        gate.notified().await;
                        Err("broken")
                    };
                    let frames = stream::iter([Ok("once")]);
                    Body::from_stream(frames.chain(stream::once_future(then)))
                }
            };
            let endless = {
                let log = log.clone();
                move || async move { web::endless(log.on_drop("body dropped")) }
            };
            let router = Router::new()
                .route("/whole", get(whole))
                .route("/broken", get(broken))
                .route("/endless", get(endless));
            let (server, client) = both(router).await;
            for (path, failed) in [("/whole", false), ("/broken", true), ("/endless", false)] {
                let span = build_span("request").start();
                let call = client.get(url(&server, path)).send_traced();
                let mut answer = call.in_span(span.clone()).await.unwrap();
                assert_eq!(answer.chunk().await.unwrap().unwrap(), "once");
                let so_far = trace_of(&span);
                assert!(so_far.iter().all(|call| call.parent_id != Some(span.id())));
                match path {
                    "/whole" => assert!(answer.chunk().await.unwrap().is_none()),
                    "/broken" => {
                        gate.notify_one();
                        assert!(answer.chunk().await.is_err());
                    }
                    _ => drop(answer),
                }
                let call = loop {
                    let mut spans = trace_of(&span);
                    spans.retain(|call| call.parent_id == Some(span.id()));
                    match spans.pop() {
                        Some(call) => break call,
                        None => yield_now().await,
                    }
                };
                assert_eq!(
                    (call.failed, call.outcome),
                    (failed, Outcome::Finished),
                    "{path}"
                );
            }
            log.seen("body dropped", 1).await;
        });
    });
}

#[test]
fn redirects_are_part_of_the_request() {
    workers(1).block_on(async {
        let router = Router::new()
            .route("/old", get(|| async { Redirect::permanent("/new") }))
            .route("/new", get(|| async { "here" }));
        let (server, client) = both(router).await;
        let span = build_span("request").start();
        let asking = async {
            let answer = client
                .get(url(&server, "/old"))
                .send_traced()
                .await
                .unwrap();
            assert_eq!(answer.url().path(), "/new");
            answer.text().await.unwrap()
        };
        assert_eq!(asking.in_span(span.clone()).await, "here");
        let call = below(&span);
        assert_eq!(call.metric_tag("http.status_code"), Some("200"));
        let mut spans = trace_of(&span);
        spans.retain(|server| server.parent_id == Some(call.id));
        assert_eq!(spans.len(), 2);
    });
}

#[test]
fn a_client_in_a_layer_is_a_service() {
    workers(1).block_on(async {
        let (server, client) = both(Router::new().route("/", get(|| async { "fine" }))).await;
        let layer = ClientLayer::new()
            .name_by(|head| Some(format!("{} {}", head.method(), head.uri().path()).into()))
            .library("shop")
            .tag_url(TagMode::Off);
        let span = build_span("request").start();
        let request = Request::new(reqwest::Method::POST, url(&server, "/").parse().unwrap());
        let mut service = layer.layer(client.clone());
        let call = kamon::with_span(&span, || service.call(request));
        assert_eq!(call.await.unwrap().status(), 405);
        let call = below(&span);
        assert_eq!(call.operation, "POST /");
        let tags: Vec<_> = call
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(tags, ["category=http-client", "library=shop"]);

        let span = build_span("request").start();
        let request = client.get(url(&server, "/"));
        let call = request.send_traced_by(&layer).in_span(span.clone());
        assert_eq!(call.await.unwrap().text().await.unwrap(), "fine");
        assert_eq!(below(&span).operation, "GET /");
    });
}

#[test]
fn pooled_connections_keep_nothing_of_a_request() {
    on_each(|runtime| {
        runtime.block_on(async {
            let tally = Tally::new();
            let (server, client) = both(Router::new().route("/", get(|| async {}))).await;
            for number in 1..10 {
                let asking = async {
                    let answer = client.get(url(&server, "/")).send_traced().await;
                    answer.unwrap().bytes().await.unwrap()
                };
                let asking = asking.in_span(build_span("request").start());
                asking.in_context(tally.request(number)).await;
                assert_eq!(tally.alive(), 0);
            }
        });
    });
}
