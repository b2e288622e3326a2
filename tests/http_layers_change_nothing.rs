//! What both layers leave as it is: backpressure, errors, bodies, and what the service's types can do.
#![cfg(feature = "http")]

use std::future::{poll_fn, ready, Ready};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use kamon::http::{ClientLayer, ServerLayer};
use kamon::{build_span, ContextFutureExt as _};
use tower_layer::Layer;
use tower_service::Service;

/// The service's own error.
#[derive(Debug, PartialEq)]
struct Refused(u32);

/// Ready when it is told so; answers as often as it is asked, or refuses.
#[derive(Clone, Default)]
struct Gate {
    open: Arc<AtomicBool>,
    refuses: bool,
}

impl Service<Request<Full<Bytes>>> for Gate {
    type Response = Response<Full<Bytes>>;
    type Error = Refused;
    type Future = Ready<Result<Self::Response, Refused>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Refused>> {
        match (self.open.load(Ordering::SeqCst), self.refuses) {
            (false, _) => Poll::Pending,
            (true, true) => Poll::Ready(Err(Refused(1))),
            (true, false) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        ready(match self.refuses {
            true => Err(Refused(2)),
            false => Ok(Response::new(request.into_body())),
        })
    }
}

fn request() -> Request<Full<Bytes>> {
    Request::new(Full::from("said"))
}

/// The layer, around a gate that refuses or does not.
async fn changes_nothing<L>(layer: L)
where
    L: Layer<Gate>,
    L::Service: Service<Request<Full<Bytes>>, Error = Refused> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Full<Bytes>>>>::Future: Send,
    <L::Service as Service<Request<Full<Bytes>>>>::Response: Answered,
{
    for refuses in [false, true] {
        let gate = Gate {
            refuses,
            ..Gate::default()
        };
        let mut service = layer.layer(gate.clone()).clone();
        let mut context = TaskContext::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut context).is_pending());
        gate.open.store(true, Ordering::SeqCst);
        let is_ready = poll_fn(|cx| service.poll_ready(cx)).await;
        assert_eq!(is_ready, if refuses { Err(Refused(1)) } else { Ok(()) });
        match service.call(request()).await {
            Ok(answer) => assert_eq!(answer.text().await, (Some(4), "said".into())),
            Err(error) => assert_eq!((error, refuses), (Refused(2), true)),
        }
    }
}

/// A response whose body has a size that is known.
trait Answered {
    async fn text(self) -> (Option<u64>, Bytes);
}

impl<B: hyper::body::Body<Data = Bytes>> Answered for Response<B>
where
    B::Error: std::fmt::Debug,
{
    async fn text(self) -> (Option<u64>, Bytes) {
        let body = self.into_body();
        let size = body.size_hint().exact();
        (size, body.collect().await.unwrap().to_bytes())
    }
}

#[test]
fn the_servers_layer() {
    kamon::block_on(changes_nothing(ServerLayer::new()));
}

#[test]
fn the_clients_layer() {
    kamon::block_on(changes_nothing(ClientLayer::new()));
    let span = build_span("request").start();
    kamon::block_on(changes_nothing(ClientLayer::new()).in_span(span));
}
