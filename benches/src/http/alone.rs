//! The layers alone: a request that is there already, a service that answers at once, no sockets.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{ready, Future as _, Ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use http_body_util::{Empty, Full};
use hyper::body::{Body, Bytes};
use hyper::{Request, Response};
use tower_service::Service;

use crate::http::hello::HELLO;
use crate::http::layers;
use crate::measure::Meter;
use crate::span::per_span;
use crate::workload::{Candidate, Role, Rounds, Unit, Workers, Workload};

/// Returns the row.
pub(crate) fn row() -> Workload {
    let peer = |name, body: fn(&mut Meter<'_>)| {
        Candidate::new(name, Role::Peer, move |meter, _| body(meter))
    };
    Workload {
        name: "alone/layer",
        workers: Workers::Fixed(1),
        unit: Unit::Nanoseconds,
        rounds: Rounds::AsTold,
        candidates: vec![
            Candidate::new("kamon", Role::Ours, |meter, _| {
                measure(meter, layers::kamon)
            }),
            peer("fastrace", |meter| measure(meter, layers::fastrace)),
            peer("tower-http", |meter| measure(meter, layers::tower_http)),
            peer("opentelemetry", |meter| {
                measure(meter, layers::opentelemetry)
            }),
            Candidate::new("bare", Role::Reference, |meter, _| {
                measure(meter, |service| service)
            }),
        ],
    }
}

/// Where the request waits for its next turn: to make one costs more than most layers.
type Home = Rc<Cell<Option<Request<Empty<Bytes>>>>>;

/// Says hello and sends the request home.
struct Waiting(Home);

impl Service<Request<Empty<Bytes>>> for Waiting {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> Self::Future {
        self.0.set(Some(request));
        ready(Ok(Response::new(Full::new(Bytes::from_static(HELLO)))))
    }
}

/// The same request as the load's.
fn request() -> Request<Empty<Bytes>> {
    let request = Request::get("/users/ada")
        .header("host", "localhost")
        .header("user-agent", "load")
        .header("accept", "*/*")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        );
    request.body(Empty::new()).expect("it is well-formed")
}

fn measure<S, B>(meter: &mut Meter<'_>, layer: impl FnOnce(Waiting) -> S)
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    let home: Home = Rc::new(Cell::new(Some(request())));
    let mut service = layer(Waiting(home.clone()));
    per_span(meter, 1, || {
        let request = home.take().expect("it came home");
        exchange(&mut service, request);
    });
}

/// One request and its response, read to the end as hyper does. A profiler finds it by its name.
#[inline(never)]
fn exchange<S, B>(service: &mut S, request: Request<Empty<Bytes>>)
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    let mut cx = TaskContext::from_waker(Waker::noop());
    let response = match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => unreachable!("the service answers at once"),
    };
    assert!(response.status().is_success());
    let mut body = pin!(response.into_body());
    while !body.is_end_stream() {
        let frame = body.as_mut().poll_frame(&mut cx);
        assert!(frame.is_ready(), "the body is there");
    }
}
