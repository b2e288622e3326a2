//! Servers and clients on real sockets, for the tests of the HTTP toolkits.
#![allow(dead_code)] // Each test uses its own part of it.

pub(crate) mod spans;

use std::convert::Infallible;
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::any;
use axum::Router;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kamon::http::{serve, Executor, Serve};
use kamon::task::JoinHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A server that runs until it is told to stop.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

/// Starts a server of this router.
pub(crate) async fn start(router: Router) -> Server {
    start_with(router, |server| server).await
}

/// Starts a server of this router, after some changes.
pub(crate) async fn start_with(
    router: Router,
    change: impl FnOnce(Serve<TcpListener, Router>) -> Serve<TcpListener, Router>,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = change(serve(listener, router)).shut_down_on(async {
        // Nobody who could say so any more means the same.
        let _ = stopped.await;
    });
    let ended = kamon::spawn(server.into_future());
    Server {
        address,
        stop,
        ended,
    }
}

impl Server {
    /// Begins to shut it down; the handle resolves when it is down.
    pub(crate) fn shut_down(self) -> JoinHandle<()> {
        let _ = self.stop.send(());
        self.ended
    }
}

/// Answers `/{code}` with that status.
pub(crate) fn by_code() -> Router {
    let answer = |Path(code): Path<u16>| async move {
        let mut response = Response::new(axum::body::Body::from("answer"));
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        response
    };
    Router::new().route("/{code}", any(answer))
}

/// A connection of HTTP/1.
pub(crate) async fn http1(address: SocketAddr) -> http1::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    drop(kamon::spawn_root(connection.with_upgrades()));
    sender
}

/// A connection of HTTP/2.
pub(crate) async fn http2(address: SocketAddr) -> http2::SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(Executor, stream).await.unwrap();
    drop(kamon::spawn_root(connection));
    sender
}

/// A request without a body.
pub(crate) fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path)
        .header("host", "localhost")
        .body(Empty::new())
        .unwrap()
}

/// The body of a response, as text.
pub(crate) async fn text(response: Response<Incoming>) -> hyper::Result<String> {
    let body = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Asks over a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str) -> hyper::Result<String> {
    let response = http1(address).await.send_request(request(path)).await?;
    text(response).await
}

/// Sends bytes over a connection of its own, and reads what comes until the other side closes.
pub(crate) async fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has said what it had to say.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// A body that says something and never ends, and a value that is dropped with it.
pub(crate) fn endless(value: impl Send + 'static) -> axum::body::Body {
    axum::body::Body::new(Endless {
        said: false,
        _value: Box::new(value),
    })
}

struct Endless {
    said: bool,
    _value: Box<dyn Send>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match std::mem::replace(&mut self.said, true) {
            false => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"once"))))),
            true => Poll::Pending,
        }
    }
}
