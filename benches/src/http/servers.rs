//! The servers: hyper on kamon and on tokio, with the same settings.

use std::convert::Infallible;
use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::{Body, Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower_service::Service;

/// How long a client may take to send a head: kamon's server has the same.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// What both servers take.
pub(crate) trait Hosted:
    Service<
        Request<Incoming>,
        Response = Response<Self::Body>,
        Error = Infallible,
        Future: Send + 'static,
    > + Clone
    + Send
    + 'static
{
    type Body: Body<Data = Bytes, Error = Infallible> + Send + 'static;
}

impl<S, B> Hosted for S
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    type Body = B;
}

/// A runtime that serves services, until the process ends.
pub(crate) trait Hosts {
    fn start(workers: usize) -> Self;

    /// Serves the service, and returns where.
    fn host<S: Hosted>(&self, service: S) -> SocketAddr;
}

/// kamon's server on kamon's runtime.
pub(crate) struct OnKamon(kamon::runtime::Runtime);

/// hyper's server on tokio's runtime, a task for each connection.
pub(crate) struct OnTokio(tokio::runtime::Runtime);

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener has an address");
    (listener, address)
}

impl Hosts for OnKamon {
    fn start(workers: usize) -> Self {
        let mut builder = kamon::runtime::Builder::new_multi_thread();
        builder.worker_threads(workers).enable_all();
        OnKamon(builder.build().expect("the runtime starts"))
    }

    fn host<S: Hosted>(&self, service: S) -> SocketAddr {
        let (listener, address) = self.0.block_on(listen());
        drop(
            self.0
                .spawn(kamon::http::serve(listener, service).into_future()),
        );
        address
    }
}

impl Hosts for OnTokio {
    fn start(workers: usize) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(workers).enable_all();
        OnTokio(builder.build().expect("the runtime starts"))
    }

    fn host<S: Hosted>(&self, service: S) -> SocketAddr {
        let (listener, address) = self.0.block_on(listen());
        self.0.spawn(accept(listener, service));
        address
    }
}

async fn accept<S: Hosted>(listener: TcpListener, service: S) {
    let mut builder = Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    loop {
        let (stream, _) = listener.accept().await.expect("clients are well-behaved");
        stream.set_nodelay(true).expect("the option exists");
        let (builder, service) = (builder.clone(), TowerToHyperService::new(service.clone()));
        tokio::spawn(async move {
            let stream = TokioIo::new(stream);
            let served = builder.serve_connection_with_upgrades(stream, service);
            // It fails where the client has gone.
            drop(served.await);
        });
    }
}
