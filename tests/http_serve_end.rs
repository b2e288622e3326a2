//! `http::serve`: what keeps a server from having too much to do, and how it ends.
#![cfg(feature = "http")]

mod web;
mod witness;

use std::future::{pending, IntoFuture as _};
use std::io;
use std::sync::{mpsc, Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::routing::get;
use axum::Router;
use hyper_util::server::conn::auto::Builder;
use kamon::http::{serve, Executor, Listener, Serve};
use kamon::task::yield_now;
use tokio::io::{duplex, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use web::{http1, http2, request, start, start_with, talk, text};
use witness::{on_each, workers, Log};

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
            // Streams of HTTP/2 are tasks of their own, and gone as well.
            let mut connection = http2(server.address).await;
            let asked_too = kamon::spawn(connection.send_request(request("http://localhost/")));
            log.seen("handling", 2).await;
            server.shut_down().await.unwrap();
            assert_eq!(log.count("dropped"), 2);
            assert!(asked.await.unwrap().is_err());
            assert!(asked_too.await.unwrap().is_err());
        });
    });
}

/// Takes as long to be dropped as it is told.
struct Lingers(Log, Mutex<mpsc::Receiver<()>>);

impl Drop for Lingers {
    fn drop(&mut self) {
        self.0.note("dropping");
        let _ = self.1.lock().unwrap().recv();
    }
}

/// The streams of HTTP/2 are tasks of their own, which may end after their connection has.
#[test]
fn a_server_ends_when_its_last_handler_has() {
    workers(4).block_on(async {
        let log = Log::new();
        let (end, ended) = mpsc::channel::<()>();
        let lingers = Arc::new(Mutex::new(Some(Lingers(log.clone(), Mutex::new(ended)))));
        let handler = {
            let log = log.clone();
            move || async move {
                let _lingers = lingers.lock().unwrap().take();
                log.note("handling");
                pending::<&str>().await
            }
        };
        let router = Router::new().route("/", get(handler));
        let server = start_with(router, |server| {
            server.shutdown_timeout(Duration::from_millis(1))
        });
        let server = server.await;
        let mut connection = http2(server.address).await;
        let asked = kamon::spawn(connection.send_request(request("http://localhost/")));
        log.seen("handling", 1).await;
        let server = server.shut_down();
        log.seen("dropping", 1).await;
        // The connection is gone: whoever asks has heard of it.
        assert!(asked.await.unwrap().is_err());
        for _ in 0..10_000 {
            yield_now().await;
        }
        assert!(!server.is_finished());
        drop(end);
        server.await.unwrap();
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

/// What the server sends to a client of HTTP/2 that says no more than this, until it closes the connection.
async fn http2_until_the_end(server: &web::Server, frames: &[u8]) -> Vec<u8> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(frames).await.unwrap();
    let mut answer = Vec::new();
    // An end is an end, be it a reset.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

#[test]
fn clients_of_http2_that_say_too_little_are_sent_away() {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    on_each(|runtime| {
        runtime.block_on(async {
            let router = Router::new().route("/", get(|| async { "answer" }));
            let serving = |timeout| {
                start_with(router.clone(), move |server| {
                    server.header_timeout(timeout).max_connections(1)
                })
            };
            let server = serving(Duration::from_millis(10)).await;
            let is_answer = |bytes: &[u8]| bytes == b"answer";
            // Half a head: HEADERS without END_HEADERS.
            let half = [SETTINGS, &[0, 0, 1, 1, 1, 0, 0, 0, 1, 0x82]].concat();
            for said in [&[][..], SETTINGS, &half] {
                let answer = http2_until_the_end(&server, said).await;
                assert!(!answer.windows(6).any(is_answer), "{said:?}");
            }
            server.shut_down().await.unwrap();
            // A whole one, which comes in time, from a client that is not there any more: it answers no PING.
            let server = serving(Duration::from_millis(250)).await;
            let head = [0x82, 0x86, 0x84, 0x41, 1, b'a'];
            let whole = [SETTINGS, &[0, 0, 6, 1, 5, 0, 0, 0, 1], &head].concat();
            let answer = http2_until_the_end(&server, &whole).await;
            assert!(answer.windows(6).any(is_answer), "{answer:?}");
            server.shut_down().await.unwrap();
        });
    });
}

/// A server that was told so answers a client of HTTP/1, and goes.
fn answers(change: impl Fn(Serve<TcpListener, Router>) -> Serve<TcpListener, Router>) {
    on_each(|runtime| {
        runtime.block_on(async {
            let router = Router::new().route("/", get(|| async { "answer" }));
            let server = start_with(router, &change).await;
            assert_eq!(web::get(server.address, "/").await.unwrap(), "answer");
            server.shut_down().await.unwrap();
        });
    });
}

#[test]
fn no_limit_is_a_limit() {
    answers(|server| {
        let server = server.header_timeout(Duration::MAX);
        server.shutdown_timeout(Duration::MAX)
    });
}

#[test]
fn a_builder_that_is_replaced_has_timers_too() {
    answers(|server| server.configure(|builder| *builder = Builder::new(Executor).http1_only()));
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

/// A listener whose connections have all gone before they are accepted.
struct Refused;

impl Listener for Refused {
    type Connection = TcpStream;

    fn poll_accept(&mut self, _: &mut TaskContext<'_>) -> Poll<io::Result<TcpStream>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }
}

#[test]
fn a_listener_that_only_fails_does_not_keep_its_server() {
    let (sender, ended) = mpsc::channel();
    // A thread of its own: who is kept never ends.
    std::thread::spawn(move || {
        let server = serve(Refused, Router::new()).shut_down_on(yield_now());
        workers(1).block_on(server.into_future());
        sender.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}
