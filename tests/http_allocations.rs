//! What a request costs in allocations: few, and as many each time.
#![cfg(feature = "http")]

mod counting;

use std::convert::Infallible;
use std::future::{ready, Future as _, Ready};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use counting::counted;
use http_body_util::{Empty, Full};
use hyper::body::{Body as _, Bytes};
use hyper::{Request, Response};
use kamon::http::{RequestHead, ServerLayer};
use kamon::propagation::Codecs;
use tower_layer::Layer as _;
use tower_service::Service;

/// Answers at once.
#[derive(Clone)]
struct Hello;

impl Service<Request<Empty<Bytes>>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Empty<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(b"hello")))))
    }
}

/// A request of a trace that is sampled or not, as the flags say.
fn request(flags: &str) -> Request<Empty<Bytes>> {
    let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
    let request = Request::get("/users/ada").header("host", "localhost");
    let request = request.header("traceparent", parent).extension(Route);
    request.body(Empty::new()).unwrap()
}

#[derive(Clone)]
struct Route;

/// How many allocations so many requests make, once the thread knows what they are like.
fn allocations(layer: &ServerLayer, flags: &str) -> usize {
    // All spans of the process go to one reporter, which hands out memory.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    Codecs::set_current(Codecs::builder().http_headers("span", ["w3c"]).build());
    let mut service = layer.layer(Hello);
    let mut cx = TaskContext::from_waker(Waker::noop());
    let mut answer = |request| {
        let Poll::Ready(Ok(response)) = pin!(service.call(request)).poll(&mut cx) else {
            panic!("the service answers at once");
        };
        assert_eq!(response.headers().len(), 2);
        let mut body = pin!(response.into_body());
        while !body.is_end_stream() {
            assert!(body.as_mut().poll_frame(&mut cx).is_ready());
        }
    };
    let mut made = 0;
    for _ in 0..ROUNDS {
        let requests: Vec<_> = (0..REQUESTS).map(|_| request(flags)).collect();
        made = counted(|| requests.into_iter().for_each(&mut answer)).0;
        kamon::flush();
    }
    made
}

const REQUESTS: usize = 256;

/// As many rounds as it takes until the embedded reporter lets go of spans: their memory is used again.
const ROUNDS: usize = 4096 / REQUESTS + 4;

/// That there are so many for each request. Some more are for the histogram of a time that is the
/// first of its kind.
#[track_caller]
fn assert_each(made: usize, number: usize) {
    let more = made.saturating_sub(number * REQUESTS);
    assert!(more < REQUESTS / 4, "{made} for {REQUESTS} requests");
}

/// The table of the response's headers, which is two, and the value that all of them share. What is said
/// of the span lies where the last ones were.
const EACH: usize = 3;

#[test]
fn a_request_that_is_not_sampled() {
    let made = allocations(&ServerLayer::new(), "00");
    assert_each(made, EACH);
}

#[test]
fn a_request_that_is_sampled() {
    let made = allocations(&ServerLayer::new(), "01");
    assert_each(made, EACH);
}

#[test]
fn the_name_of_a_route() {
    let route: fn(&Route) -> &str = |_| "/users/{name}";
    let made = allocations(&ServerLayer::new().name_by_route(route), "00");
    assert_each(made, EACH);
    let named = |_: &RequestHead<'_>| Some("users".into());
    let made = allocations(&ServerLayer::new().name_by(named), "00");
    assert_each(made, EACH);
    // What a function makes up each time is let go of; nobody else has to make it up again.
    let named = |_: &RequestHead<'_>| Some(String::from("users").into());
    let made = allocations(&ServerLayer::new().name_by(named), "01");
    assert_each(made, EACH + 1);
}
