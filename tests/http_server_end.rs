//! `ServerLayer`: the span lasts until the last byte of the response, and says how that went.
#![cfg(feature = "http")]

mod web;
mod witness;

use std::future::pending;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{any, get};
use axum::Router;
use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use kamon::current_span;
use kamon::trace::{Outcome, TagValue};
use tokio::sync::Notify;
use web::spans::{ask, only_span, span_of, trace, trace_id, traced};
use web::{http1, http2, request};
use witness::{on_each, quiet_panic, Log};

#[test]
fn the_status_says_whether_it_failed() {
    witness::workers(1).block_on(async {
        let server = traced(web::by_code()).await;
        for code in [
            200, 201, 204, 302, 304, 404, 418, 499, 500, 503, 504, 599, 600, 999,
        ] {
            let span = span_of(&ask(&server, request(&format!("/{code}"))).await);
            assert_eq!(span.failed, code >= 500, "{code}");
            let status = span.metric_tag("http.status_code").unwrap();
            assert_eq!(status, code.to_string());
            let message = span.tag("error.message").map(TagValue::to_string);
            let failed = format!("Request failed with HTTP Status Code {code}");
            assert_eq!(message, (code >= 500).then_some(failed));
            assert_eq!(span.outcome, Outcome::Finished, "{code}");
        }
    });
}

/// A body of a frame and trailers.
fn with_trailers(status: &'static str) -> Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.parse().unwrap());
    let body = http_body_util::Full::new(Bytes::from_static(b"message"));
    Body::new(body.with_trailers(async { Some(Ok(trailers)) }))
}

#[test]
fn grpc_says_in_its_trailers_whether_it_failed() {
    witness::workers(1).block_on(async {
        for (status, failed) in [("0", false), ("5", false), ("13", true), ("14", true)] {
            let grpc = [("content-type", "application/grpc")];
            let router =
                Router::new().fallback(move || async move { (grpc, with_trailers(status)) });
            let server = traced(router).await;
            let mut connection = http2(server.address).await;
            let mut asking = request("http://localhost/a.Service/Method");
            *asking.method_mut() = Method::POST;
            let content = "application/grpc".parse().unwrap();
            asking.headers_mut().insert("content-type", content);
            let answer = connection.send_request(asking).await.unwrap();
            let id = trace_id(&answer);
            let body = answer.into_body().collect().await.unwrap();
            assert_eq!(body.trailers().unwrap()["grpc-status"], status);
            let span = only_span(id).await;
            assert_eq!(span.operation, "a.Service/Method");
            let tag = span.tag("rpc.grpc.status_code").unwrap();
            assert_eq!(tag.as_str(), Some(status));
            assert_eq!((span.failed, span.outcome), (failed, Outcome::Finished));
        }
    });
}

#[test]
fn a_span_lasts_as_long_as_the_body() {
    on_each(|runtime| {
        runtime.block_on(async {
            let gate = Arc::new(Notify::new());
            let handler = {
                let gate = gate.clone();
                move || async move {
                    let (first, handled_by) = ("first ", current_span());
                    let frames = futures_lite::stream::unfold(0, move |frame| {
                        let (gate, handled_by) = (gate.clone(), handled_by.clone());
                        async move {
                            // The body is polled in the request's Context, too.
                            assert_eq!(current_span(), handled_by);
                            match frame {
                                0 => Some((Ok::<_, std::io::Error>(first), 1)),
                                1 => {
                                    gate.notified().await;
                                    assert_eq!(current_span(), handled_by);
                                    Some((Ok("second"), 2))
                                }
                                _ => None,
                            }
                        }
                    });
                    Body::from_stream(frames)
                }
            };
            let server = traced(Router::new().route("/", get(handler))).await;
            let mut connection = http1(server.address).await;
            let answer = connection.send_request(request("/")).await.unwrap();
            let id = trace_id(&answer);
            let mut body = answer.into_body();
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), "first ");
            assert_eq!(trace(id).len(), 0);
            gate.notify_one();
            assert_eq!(body.collect().await.unwrap().to_bytes(), "second");
            assert_eq!(only_span(id).await.outcome, Outcome::Finished);
        });
    });
}

#[test]
fn a_client_that_goes_away_cancels() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let (to_handler, to_body) = (log.clone(), log.clone());
            let stuck = move || async move {
                let _dropped = to_handler.on_drop("handler dropped");
                to_handler.note("handling");
                pending::<()>().await
            };
            let endless = move || async move { web::endless(to_body.on_drop("body dropped")) };
            let router = Router::new()
                .route("/stuck", get(stuck))
                .route("/endless", get(endless));
            let server = traced(router).await;

            // Within the handler: the trace is known from the request.
            let mut connection = http1(server.address).await;
            let mut asking = request("/stuck");
            let span = kamon::build_span("client")
                .ignore_parent_from_context()
                .start();
            let parent = format!("00-{:0>32}-{}-01", span.trace_id().to_string(), span.id());
            asking
                .headers_mut()
                .insert("traceparent", parent.parse().unwrap());
            let asked = kamon::spawn(connection.send_request(asking));
            log.seen("handling", 1).await;
            asked.abort();
            drop((connection, asked));
            log.seen("handler dropped", 1).await;
            assert_eq!(only_span(span.trace_id()).await.outcome, Outcome::Cancelled);
            span.finish();

            // Within the body.
            let mut connection = http1(server.address).await;
            let answer = connection.send_request(request("/endless")).await.unwrap();
            let id = trace_id(&answer);
            drop((connection, answer));
            log.seen("body dropped", 1).await;
            assert_eq!(only_span(id).await.outcome, Outcome::Cancelled);
        });
    });
}

#[test]
fn a_panic_fails_the_span() {
    on_each(|runtime| {
        runtime.block_on(async {
            async fn panics() {
                quiet_panic("planned")
            }
            let server = traced(Router::new().route("/", get(panics))).await;
            let mut asking = request("/");
            let span = kamon::build_span("client")
                .ignore_parent_from_context()
                .start();
            let parent = format!("00-{:0>32}-{}-01", span.trace_id().to_string(), span.id());
            asking
                .headers_mut()
                .insert("traceparent", parent.parse().unwrap());
            assert!(http1(server.address)
                .await
                .send_request(asking)
                .await
                .is_err());
            let handled = only_span(span.trace_id()).await;
            assert_eq!((handled.outcome, handled.failed), (Outcome::Panicked, true));
            span.finish();
        });
    });
}

#[test]
fn responses_without_a_body_are_complete() {
    witness::workers(1).block_on(async {
        let answer = |code: u16, body: &'static str| {
            any(move || async move {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = StatusCode::from_u16(code).unwrap();
                response
            })
        };
        let upgrade = |request: Request| async move {
            drop(kamon::spawn(async move {
                drop(hyper::upgrade::on(request).await)
            }));
            let head = Response::builder().status(101);
            let head = head
                .header("connection", "upgrade")
                .header("upgrade", "echo");
            head.body(web::endless(())).unwrap()
        };
        let router = Router::new()
            .route("/text", answer(200, "text"))
            .route("/empty", answer(200, ""))
            .route("/none", answer(204, ""))
            .route("/unchanged", answer(304, "text"))
            // What hyper does not send is never asked for.
            .route("/endless", any(|| async { web::endless(()) }))
            .route("/upgrade", any(upgrade));
        let server = traced(router).await;
        for (method, path) in [
            ("HEAD", "/text"),
            ("HEAD", "/endless"),
            ("GET", "/empty"),
            ("GET", "/none"),
            ("GET", "/unchanged"),
            ("GET", "/upgrade"),
        ] {
            let mut connection = http1(server.address).await;
            let mut asking = request(path);
            *asking.method_mut() = method.parse().unwrap();
            if path == "/upgrade" {
                let headers = asking.headers_mut();
                headers.insert("connection", "upgrade".parse().unwrap());
                headers.insert("upgrade", "echo".parse().unwrap());
            }
            let answer = connection.send_request(asking).await.unwrap();
            let span = only_span(trace_id(&answer)).await;
            assert_eq!(span.outcome, Outcome::Finished, "{method} {path}");
            assert_eq!(span.operation, format!("{method} {path}"));
        }
    });
}

#[test]
fn an_announced_length_is_the_end() {
    witness::workers(1).block_on(async {
        let handler = || async {
            let frames = futures_lite::stream::iter(["four", "five!"].map(Ok::<_, std::io::Error>));
            let frames = futures_lite::StreamExt::chain(frames, futures_lite::stream::pending());
            let response = Response::builder().header("content-length", "9");
            response.body(Body::from_stream(frames)).unwrap()
        };
        let server = traced(Router::new().route("/", get(handler))).await;
        let answer = ask(&server, request("/")).await;
        assert_eq!(answer.body(), "fourfive!");
        let span = only_span(trace_id(&answer)).await;
        assert_eq!(span.outcome, Outcome::Finished);
    });
}
