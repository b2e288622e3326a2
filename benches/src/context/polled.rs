//! What it costs to have a Context current during a poll.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Instant;

use fastrace::future::FutureExt;
use kamon::ContextFutureExt as _;
use opentelemetry::context::FutureExt as _;
use tracing::Instrument as _;

use crate::context::{bare, carried, on_one_thread, ours, peer};
use crate::measure::Meter;
use crate::workload::{Candidate, Workload};

/// Returns the rows: the whole poll, and what it takes more than the bare one.
pub(super) fn workloads() -> Vec<Workload> {
    let mut whole = vec![bare(|meter, _| poll(meter, bare_future()))];
    whole.extend(candidates(poll));
    vec![
        on_one_thread("poll", whole),
        on_one_thread("poll_more_than_bare", candidates(poll_more_than_bare)),
    ]
}

type Polled = Pin<Box<dyn Future<Output = ()>>>;

fn candidates(measure: fn(&mut Meter<'_>, Polled)) -> Vec<Candidate> {
    vec![
        ours(move |meter, _| measure(meter, Box::pin(Idle(0).in_context(carried::kamon(2))))),
        peer("tokio task_local", move |meter, _| {
            let values = carried::task_local(2);
            measure(meter, Box::pin(carried::TASK_LOCAL.scope(values, Idle(0))));
        }),
        peer("tracing", move |meter, _| {
            measure(meter, Box::pin(Idle(0).instrument(carried::tracing())));
        }),
        peer("opentelemetry", move |meter, _| {
            measure(
                meter,
                Box::pin(Idle(0).with_context(carried::opentelemetry(2))),
            );
        }),
        peer("fastrace", move |meter, _| {
            measure(
                meter,
                Box::pin(FutureExt::in_span(Idle(0), carried::fastrace())),
            );
        }),
    ]
}

/// A future that does next to nothing at each poll and is never ready.
struct Idle(u64);

impl Future for Idle {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        self.0 = black_box(self.0 + 1);
        Poll::Pending
    }
}

fn bare_future() -> Polled {
    Box::pin(Idle(0))
}

fn poll(meter: &mut Meter<'_>, mut future: Polled) {
    meter.run(|iterations| time_polls(&mut future, iterations));
}

fn poll_more_than_bare(meter: &mut Meter<'_>, mut future: Polled) {
    let mut bare = bare_future();
    meter.run(|iterations| {
        let without = time_polls(&mut bare, iterations);
        time_polls(&mut future, iterations) - without
    });
}

fn time_polls(future: &mut Polled, times: u64) -> f64 {
    let mut cx = TaskContext::from_waker(Waker::noop());
    let begin = Instant::now();
    for _ in 0..times {
        assert!(black_box(future.as_mut()).poll(&mut cx).is_pending());
    }
    begin.elapsed().as_nanos() as f64 / times as f64
}
