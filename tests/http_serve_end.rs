//! `http::serve`: what keeps a server from having too much to do, and how it ends.
#![cfg(feature = "http")]

mod web;
mod witness;

use std::future::{pending, IntoFuture as _};
use std::io;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::routing::get;
use axum::Router;
use kamon::http::{serve, Listener};
use kamon::task::yield_now;
use tokio::io::{duplex, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use web::{http1, http2, request, start, start_with, talk, text};
use witness::{on_each, Log};

#[test]
fn a_shutdown_lets_requests_finish() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (log, gate) = (Log::new(), Arc::new(Notify::new()));
            let handler = {
                let (log, gate) = (log.clone(), gate.clone());
                move || async move {
                    // Hears of it from now on, also if it is not polled before.
                    let opened = gate.notified();
                    log.note("handling");
                    opened.await;
                    "finished"
                }
            };
            let server = start(Router::new().route("/", get(handler))).await;
            let address = server.address;
            let asked = kamon::spawn(web::get(address, "/"));
            let mut connection = http2(address).await;
            let asked_too = kamon::spawn(connection.send_request(request("http://localhost/")));
            // Connections that ask nothing do not hold it up.
            let idle = http1(address).await;
            let silent = TcpStream::connect(address).await.unwrap();
            log.seen("handling", 2).await;

            let ended = server.shut_down();
            while TcpStream::connect(address).await.is_ok() {
                yield_now().await;
            }
            assert!(!ended.is_finished());
            gate.notify_waiters();
            assert_eq!(asked.await.unwrap().unwrap(), "finished");
            let answer = asked_too.await.unwrap().unwrap();
            assert_eq!(text(answer).await.unwrap(), "finished");
            ended.await.unwrap();
            drop((idle, silent));
        });
    });
}

/// A handler that never answers, and notes that it began and that it was dropped.
fn stuck(log: &Log) -> Router {
    let log = log.clone();
    let handler = move || async move {
        let _dropped = log.on_drop("dropped");
        log.note("handling");
        pending::<&str>().await
    };
    Router::new().route("/", get(handler))
}

#[test]
fn a_shutdown_that_takes_too_long_ends_what_is_left() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let server = start_with(stuck(&log), |server| {
                server.shutdown_timeout(Duration::from_millis(1))
            });
            let server = server.await;
            let asked = kamon::spawn(web::get(server.address, "/"));
            log.seen("handling", 1).await;
            server.shut_down().await.unwrap();
            assert!(asked.await.unwrap().is_err());
            assert_eq!(log.count("dropped"), 1);
        });
    });
}

#[test]
fn dropping_the_server_ends_its_connections() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let serving = serve(listener, stuck(&log));
            let server = kamon::spawn(serving.into_future());
            let asked = kamon::spawn(web::get(address, "/"));
            log.seen("handling", 1).await;
            server.abort();
            assert!(server.await.unwrap_err().is_cancelled());
            assert!(asked.await.unwrap().is_err());
            log.seen("dropped", 1).await;
        });
    });
}

#[test]
fn more_connections_than_allowed_wait() {
    on_each(|runtime| {
        runtime.block_on(async {
            let log = Log::new();
            let handler = |what: &'static str| {
                let log = log.clone();
                get(move || async move {
                    log.note(what);
                    "answer"
                })
            };
            let router = Router::new()
                .route("/first", handler("first"))
                .route("/second", handler("second"));
            let server = start_with(router, |server| server.max_connections(1)).await;
            let mut first = http1(server.address).await;
            text(first.send_request(request("/first")).await.unwrap())
                .await
                .unwrap();
            let second = kamon::spawn(web::get(server.address, "/second"));
            for _ in 0..20 {
                first.ready().await.unwrap();
                let answer = first.send_request(request("/first")).await.unwrap();
                text(answer).await.unwrap();
            }
            assert_eq!(log.count("second"), 0);
            drop(first);
            assert_eq!(second.await.unwrap().unwrap(), "answer");
        });
    });
}

/// A listener of one connection.
struct One(Option<DuplexStream>);

impl Listener for One {
    type Connection = DuplexStream;

    fn poll_accept(&mut self, _: &mut TaskContext<'_>) -> Poll<io::Result<DuplexStream>> {
        self.0
            .take()
            .map_or(Poll::Pending, |connection| Poll::Ready(Ok(connection)))
    }
}

#[test]
fn clients_that_say_too_little_are_sent_away() {
    on_each(|runtime| {
        runtime.block_on(async {
            let router = Router::new().route("/", get(|| async { "answer" }));
            let timeout = Duration::from_millis(10);
            let server = start_with(router.clone(), |server| server.header_timeout(timeout)).await;
            let head = "GET / HTTP/1.1\r\nhost: localhost\r\n";
            // Nothing; what may become either HTTP; a part of a head.
            for said in ["", "P", "PRI * HTTP/2.0\r\n", head] {
                assert_eq!(talk(server.address, said.as_bytes()).await, "", "{said:?}");
            }
            // One that stays silent between two requests. The first is there in time for sure: when
            // the server takes the connection.
            let (mut client, connection) = duplex(1024);
            client.write_all(head.as_bytes()).await.unwrap();
            client.write_all(b"\r\n").await.unwrap();
            let server = serve(One(Some(connection)), router).header_timeout(timeout);
            let server = kamon::spawn(server.into_future());
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("answer"), "{answer}");
            server.abort();
        });
    });
}

/// A listener that fails in the ways it is told, and then says that it is done.
#[cfg(feature = "test-util")]
struct Failing {
    errors: std::vec::IntoIter<io::ErrorKind>,
    log: Log,
    done: Arc<Notify>,
}

#[cfg(feature = "test-util")]
impl Listener for Failing {
    type Connection = TcpStream;

    fn poll_accept(&mut self, _: &mut TaskContext<'_>) -> Poll<io::Result<TcpStream>> {
        match self.errors.next() {
            Some(error) => {
                self.log.note("failed");
                Poll::Ready(Err(error.into()))
            }
            None => {
                self.done.notify_one();
                Poll::Pending
            }
        }
    }
}

#[test]
#[cfg(feature = "test-util")]
fn a_listener_that_fails_is_left_alone_for_a_while() {
    use io::ErrorKind::{ConnectionAborted, Other};

    let runtime = kamon::runtime::Builder::new_current_thread()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        for (errors, milliseconds) in [
            // These say nothing of the next connection.
            (vec![ConnectionAborted; 10], 0),
            (vec![Other], 5),
            (vec![Other, ConnectionAborted, Other], 5 + 10),
            (
                vec![Other; 10],
                5 + 10 + 20 + 40 + 80 + 160 + 320 + 640 + 1000 + 1000,
            ),
        ] {
            let (log, done) = (Log::new(), Arc::new(Notify::new()));
            let times = errors.len();
            let listener = Failing {
                errors: errors.into_iter(),
                log: log.clone(),
                done: done.clone(),
            };
            let start = kamon::time::Instant::now();
            serve(listener, Router::new())
                .shut_down_on(async move { done.notified().await })
                .await;
            assert_eq!(log.count("failed"), times);
            // Timers count whole milliseconds, and may round each pause up.
            let paused = start.elapsed().as_millis();
            let most = milliseconds + times as u128;
            assert!(
                (milliseconds..=most).contains(&paused),
                "{paused} ms for {times}"
            );
        }
    });
}
