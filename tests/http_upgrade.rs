//! Connections that become something else: both layers let them through, and their spans are over.
#![cfg(feature = "http")]

mod traced;
mod web;
mod witness;

use std::future::poll_fn;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response};
use axum::routing::any;
use axum::Router;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::upgrade::{on, OnUpgrade};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioIo;
use kamon::http::{ClientLayer, Executor};
use kamon::report::outline;
use kamon::trace::Outcome;
use kamon::{build_span, ContextFutureExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower_layer::Layer as _;
use tower_service::Service as _;
use traced::trace_of;
use web::spans::{traced, SESSION};
use witness::{on_each, Log};

/// Answers each byte with one of the session's: as long as the connection lasts.
async fn shout(upgrade: OnUpgrade) {
    let mut stream = TokioIo::new(upgrade.await.unwrap());
    while let Ok(byte) = stream.read_u8().await {
        let session = kamon::current_context().get(&SESSION).clone();
        let first = session.unwrap_or_default().bytes().next();
        let answer = [byte.to_ascii_uppercase(), first.unwrap_or(b'-')];
        stream.write_all(&answer).await.unwrap();
    }
}

/// Switches protocols, as WebSocket does, or opens a tunnel.
async fn switch(mut request: Request) -> Response<Body> {
    let connects = request.method() == Method::CONNECT;
    drop(kamon::spawn(shout(on(&mut request))));
    if connects {
        // What hyper does not send it does not ask for.
        return Response::new(web::endless(()));
    }
    let response = Response::builder().status(101);
    let response = response.header("connection", "upgrade");
    response
        .header("upgrade", "shout")
        .body(Body::empty())
        .unwrap()
}

#[test]
fn upgraded_connections_go_on_after_their_spans() {
    on_each(|runtime| {
        runtime.block_on(async {
            let router = Router::new().route("/", any(switch)).fallback(switch);
            let server = traced(router).await;
            let client = Client::builder(Executor).build_http::<Empty<Bytes>>();
            let mut client = ClientLayer::new().layer(client);
            let span = build_span("request").start();
            let context = kamon::Context::empty().with_key(&SESSION, Some("blue".into()));

            let asking = async {
                let request = Request::get(format!("http://{}/", server.address))
                    .header("connection", "upgrade")
                    .header("upgrade", "shout")
                    .body(Empty::new())
                    .unwrap();
                poll_fn(|cx| client.poll_ready(cx)).await.unwrap();
                client.call(request).await.unwrap()
            };
            let asking = asking.in_span(span.clone()).in_context(context);
            let mut response = asking.await;
            assert_eq!(response.status(), 101);
            let mut stream = TokioIo::new(on(&mut response).await.unwrap());
            drop(response);
            // Both spans are over, though the connection has just begun.
            let mut spans = trace_of(&span);
            assert_eq!(spans.len(), 3, "{}", outline(&spans));
            spans.iter_mut().for_each(|span| {
                assert_eq!(span.outcome, Outcome::Finished);
                span.tags.clear();
            });
            assert_eq!(
                outline(&spans),
                "request\n└─ 127.0.0.1 (client)\n   └─ GET / (server)\n"
            );
            for (byte, answer) in [(b'a', *b"Ab"), (b'b', *b"Bb")] {
                stream.write_u8(byte).await.unwrap();
                let mut answered = [0; 2];
                stream.read_exact(&mut answered).await.unwrap();
                assert_eq!(answered, answer);
            }
        });
    });
}

#[test]
fn a_tunnel_is_no_body() {
    witness::workers(1).block_on(async {
        let server = traced(Router::new().fallback(switch)).await;
        let mut connection = web::http1(server.address).await;
        let request = Request::connect("elsewhere:80").body(Empty::new()).unwrap();
        let mut response = connection.send_request(request).await.unwrap();
        let span = web::spans::only_span(web::spans::trace_id(&response)).await;
        assert_eq!(
            (&*span.operation, span.outcome),
            ("CONNECT", Outcome::Finished)
        );
        let mut stream = TokioIo::new(on(&mut response).await.unwrap());
        stream.write_u8(b'a').await.unwrap();
        let mut answered = [0; 2];
        stream.read_exact(&mut answered).await.unwrap();
        assert_eq!(&answered, b"A-");
    });
}

#[test]
fn upgraded_connections_are_connections() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let answer = {
                let log = log.clone();
                move || async move {
                    log.note("second");
                    "answer"
                }
            };
            let router = Router::new()
                .route("/up", any(switch))
                .route("/", any(answer));
            let server = web::start_with(router, |server| server.max_connections(1)).await;
            let mut first = TcpStream::connect(server.address).await.unwrap();
            let head =
                "GET /up HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: shout\r\n\r\n";
            first.write_all(head.as_bytes()).await.unwrap();
            let mut said = Vec::new();
            while !said.ends_with(b"\r\n\r\n") {
                said.push(first.read_u8().await.unwrap());
            }
            let second = kamon::spawn(web::get(server.address, "/"));
            for _ in 0..20 {
                first.write_u8(b'a').await.unwrap();
                let mut shouted = [0; 2];
                first.read_exact(&mut shouted).await.unwrap();
                assert_eq!(&shouted, b"A-");
            }
            assert_eq!(log.count("second"), 0);
            drop(first);
            assert_eq!(second.await.unwrap().unwrap(), "answer");
            // Nor does a shutdown wait for what it has become.
            server.shut_down().await.unwrap();
        });
    });
}
