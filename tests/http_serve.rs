//! `http::serve`: connections are tasks of their own, in nobody's Context.
#![cfg(feature = "http")]

mod web;
mod witness;

use std::future::IntoFuture as _;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use axum::extract::Request;
use axum::routing::get;
use axum::Router;
use http_body_util::BodyExt;
use kamon::metrics::{self, Value};
use kamon::task::yield_now;
use kamon::{with_context, ContextFutureExt as _};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use web::{http1, http2, request, start, talk, text};
use witness::{current, on_each, quiet_panic, workers, Log};

/// Handlers that do not return until two of them run at the same time.
///
/// They block their threads for that, but not before both have begun: whoever blocks the worker that
/// would have waited for the other one's socket may wait for ever, as on tokio.
fn meeting() -> Router {
    let begun = Arc::new(tokio::sync::Barrier::new(2));
    let both = Arc::new(Barrier::new(2));
    Router::new().route(
        "/",
        get(move || async move {
            begun.wait().await;
            // What waits behind somebody who yields is told of.
            yield_now().await;
            both.wait();
            "met"
        }),
    )
}

#[test]
fn connections_run_on_all_workers_at_once() {
    workers(2).block_on(async {
        let server = start(meeting()).await;
        let address = server.address;
        let one = kamon::spawn(async move { web::get(address, "/").await.unwrap() });
        let other = kamon::spawn(async move { web::get(address, "/").await.unwrap() });
        assert_eq!(one.await.unwrap(), "met");
        assert_eq!(other.await.unwrap(), "met");
    });
}

#[test]
fn streams_of_one_http2_connection_run_on_all_workers_at_once() {
    workers(2).block_on(async {
        let server = start(meeting()).await;
        let mut connection = http2(server.address).await;
        let (one, other) = (
            kamon::spawn(connection.send_request(request("http://localhost/"))),
            kamon::spawn(connection.send_request(request("http://localhost/"))),
        );
        assert_eq!(text(one.await.unwrap().unwrap()).await.unwrap(), "met");
        assert_eq!(text(other.await.unwrap().unwrap()).await.unwrap(), "met");
    });
}

#[test]
fn connections_are_nobodys() {
    on_each(|runtime| {
        runtime.block_on(async {
            let router = Router::new().route("/", get(|| async { current().to_string() }));
            // The server is started in the Context of a request, and asked in that of another.
            let server = start(router).in_context(witness::request(7)).await;
            let asking = async {
                let mut connection = http1(server.address).await;
                let answer = connection.send_request(request("/")).await.unwrap();
                assert_eq!(text(answer).await.unwrap(), "0");
                let mut connection = http2(server.address).await;
                let answer = connection.send_request(request("http://localhost/")).await;
                assert_eq!(text(answer.unwrap()).await.unwrap(), "0");
            };
            asking.in_context(witness::request(8)).await;
        });
    });
}

async fn panicking() -> &'static str {
    quiet_panic("planned")
}

#[test]
fn a_panic_ends_its_connection_and_nothing_else() {
    on_each(|runtime| {
        runtime.block_on(async {
            let router = Router::new()
                .route("/fine", get(|| async { "fine" }))
                .route("/panic", get(panicking));
            let server = start(router).await;
            assert!(web::get(server.address, "/panic").await.is_err());
            assert_eq!(web::get(server.address, "/fine").await.unwrap(), "fine");
            let mut connection = http2(server.address).await;
            let panicked = connection.send_request(request("http://localhost/panic"));
            assert!(panicked.await.is_err());
            let fine = connection.send_request(request("http://localhost/fine"));
            assert_eq!(text(fine.await.unwrap()).await.unwrap(), "fine");
        });
    });
}

#[test]
fn connections_are_measured() {
    workers(2).block_on(async {
        let router = Router::new().route("/", get(|| async { "answer" }));
        let mut subscription =
            metrics::subscribe("http.server.connection.*", Duration::from_secs(60));
        let server = start(router).await;
        let port = server.address.port().to_string();
        for requests in [10, 15] {
            let mut connection = http1(server.address).await;
            for _ in 0..requests {
                connection.ready().await.unwrap();
                let answer = connection.send_request(request("/")).await.unwrap();
                text(answer).await.unwrap();
            }
        }
        server.shut_down().await.unwrap();
        let period = subscription.snapshot();
        let of = |name: &str| {
            let mut instruments = period.instruments().iter();
            let found = instruments.find(|instrument| {
                instrument.name() == name && instrument.tags().get("port") == Some(&port)
            });
            let found = found.unwrap_or_else(|| panic!("{name} is not measured"));
            assert_eq!(found.tags().get("component"), Some("http.server"));
            assert_eq!(found.tags().get("interface"), Some("127.0.0.1"));
            found.value().clone()
        };
        let Value::Distribution(usage) = of("http.server.connection.usage") else {
            panic!("usage is a histogram");
        };
        assert_eq!((usage.min(), usage.max(), usage.count()), (10, 15, 2));
        let Value::Distribution(lifetime) = of("http.server.connection.lifetime") else {
            panic!("lifetime is a timer");
        };
        assert_eq!(lifetime.count(), 2);
        let Value::Range(open) = of("http.server.connection.open") else {
            panic!("open is a range sampler");
        };
        assert_eq!(open.current, 0);
        assert!(open.samples.max() >= 1);
    });
}

#[test]
fn upgrades_pass_through() {
    on_each(|runtime| {
        runtime.block_on(async {
            let handler = |request: Request| async move {
                drop(kamon::spawn(async move {
                    let upgraded = hyper::upgrade::on(request).await.unwrap();
                    let mut stream = hyper_util::rt::TokioIo::new(upgraded);
                    let mut said = [0; 5];
                    stream.read_exact(&mut said).await.unwrap();
                    stream.write_all(&said).await.unwrap();
                    stream.shutdown().await.unwrap();
                }));
                let head = axum::http::Response::builder().status(101);
                let head = head
                    .header("connection", "upgrade")
                    .header("upgrade", "echo");
                head.body(axum::body::Body::empty()).unwrap()
            };
            let server = start(Router::new().route("/", get(handler))).await;
            let asking = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
                           upgrade: echo\r\n\r\nhello";
            let answer = talk(server.address, asking).await;
            assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
            assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
        });
    });
}

#[test]
fn bodies_stream() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let handler = {
                let log = log.clone();
                move || async move { web::endless(log.on_drop("dropped")) }
            };
            let server = start(Router::new().route("/", get(handler))).await;
            let mut connection = http1(server.address).await;
            let answer = connection.send_request(request("/")).await.unwrap();
            let mut body = answer.into_body();
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), "once");
            // The client goes away, and so does the body.
            drop((body, connection));
            log.seen("dropped", 1).await;
        });
    });
}

#[test]
fn the_context_of_the_starter_is_not_kept() {
    on_each(|runtime| {
        runtime.block_on(async {
            let tally = witness::Tally::new();
            let router = Router::new().route("/", get(|| async { "answer" }));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = kamon::http::serve(listener, router).into_future();
            let server = with_context(tally.request(1), || kamon::spawn_root(serving));
            assert_eq!(web::get(address, "/").await.unwrap(), "answer");
            assert_eq!(tally.alive(), 0);
            server.abort();
        });
    });
}
