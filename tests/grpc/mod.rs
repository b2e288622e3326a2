//! A gRPC service and its client, as tonic's generator would write them, over messages of plain text.

use std::convert::Infallible;
use std::future::{pending, Future};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use axum::http::uri::PathAndQuery;
use bytes::BufMut as _;
use futures_lite::{Stream, StreamExt as _};
use hyper::body::{Buf as _, Bytes, Incoming};
use hyper::{Request as HttpRequest, Response as HttpResponse};
use kamon::http::{serve, ClientLayer, ClientService, Executor, ServerLayer};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::Grpc as Client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, StreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};
use tower_layer::Layer as _;
use tower_service::Service;

/// Messages that are text, as they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Text;
    type Decoder = Text;

    fn encoder(&mut self) -> Text {
        Text
    }

    fn decoder(&mut self) -> Text {
        Text
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(Bytes::from(item));
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        let text = String::from_utf8(bytes.into());
        text.map(Some).map_err(|_| Status::internal("not text"))
    }
}

type Pinned<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type Answers = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

/// Greets by name; a number is an error with that code, and `nobody` is waited for.
struct Greet;

impl UnaryService<String> for Greet {
    type Response = String;
    type Future = Pinned<Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        Box::pin(async move { greet(request.into_inner()).await.map(Response::new) })
    }
}

/// Greets each who comes by, as they come.
struct GreetAll;

impl StreamingService<String> for GreetAll {
    type Response = String;
    type ResponseStream = Answers;
    type Future = Pinned<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        let answers = request
            .into_inner()
            .then(|name| async { greet(name?).await });
        Box::pin(async { Ok(Response::new(Box::pin(answers) as Answers)) })
    }
}

async fn greet(name: String) -> Result<String, Status> {
    if let Ok(code) = name.parse::<i32>() {
        return Err(Status::new(code.into(), "as asked"));
    }
    if name == "nobody" {
        pending::<()>().await;
    }
    // The Context came with the call, and is there whenever the stream is polled.
    let looked = kamon::build_span("look-up").start();
    looked.finish();
    kamon::task::yield_now().await;
    Ok(format!("hello {name}"))
}

/// The service.
#[derive(Clone)]
struct Greeter;

impl Service<HttpRequest<Incoming>> for Greeter {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = Pinned<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Incoming>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(Text);
            Ok(match request.uri().path() {
                "/test.Greeter/Greet" => grpc.unary(Greet, request).await,
                "/test.Greeter/GreetAll" => grpc.streaming(GreetAll, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// Starts the service, with spans. It runs as long as the runtime.
pub(crate) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = ServerLayer::new().layer(Greeter);
    drop(kamon::spawn_root(async {
        serve(listener, service).await;
    }));
    address
}

/// A client of the service, with spans.
pub(crate) struct GreeterClient(Client<ClientService<Channel>>);

impl GreeterClient {
    pub(crate) fn of(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.executor(Executor).connect_lazy();
        GreeterClient(Client::new(
            ClientLayer::new().library("tonic").layer(channel),
        ))
    }

    pub(crate) async fn unary(
        &mut self,
        method: &'static str,
        name: &str,
    ) -> Result<String, Status> {
        self.0.ready().await.unwrap();
        let (path, name) = (PathAndQuery::from_static(method), name.to_owned());
        let answer = self.0.unary(Request::new(name), path, Text).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn greet_all(
        &mut self,
        names: impl Stream<Item = String> + Send + 'static,
    ) -> Result<Streaming<String>, Status> {
        self.0.ready().await.unwrap();
        let path = PathAndQuery::from_static("/test.Greeter/GreetAll");
        let answers = self.0.streaming(Request::new(names), path, Text).await?;
        Ok(answers.into_inner())
    }
}
