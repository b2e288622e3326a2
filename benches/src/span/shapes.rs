//! Traces of other shapes: each span current while the next one runs, and futures.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as TaskContext, Waker};

use fastrace::local::LocalSpan;
use kamon::ContextFutureExt;
use tracing::Instrument as _;

use crate::span::children::root;
use crate::span::{on_one_thread, ours, peer, per_span, rivals};
use crate::workload::Workload;

const SPANS: usize = 100;

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    vec![wide(), deep(), futures()]
}

/// Each is current for a moment, one after the other.
fn wide() -> Workload {
    on_one_thread(
        "wide_100",
        vec![
            ours(|meter, _| {
                per_span(meter, SPANS, || {
                    root(|| (0..SPANS).for_each(|_| kamon_deep(1)));
                });
            }),
            peer("fastrace", |meter, _| {
                per_span(meter, SPANS, || {
                    rivals::fastrace(|| (0..SPANS).for_each(|_| fastrace_deep(1)));
                });
            }),
            peer("tracing", |meter, _| {
                per_span(meter, SPANS, || {
                    rivals::tracing(|| (0..SPANS).for_each(|_| tracing_deep(1)));
                });
            }),
        ],
    )
}

/// Each is the parent of the next one.
fn deep() -> Workload {
    on_one_thread(
        "deep_100",
        vec![
            ours(|meter, _| per_span(meter, SPANS, || root(|| kamon_deep(SPANS)))),
            peer("fastrace", |meter, _| {
                per_span(meter, SPANS, || rivals::fastrace(|| fastrace_deep(SPANS)));
            }),
            peer("tracing", |meter, _| {
                per_span(meter, SPANS, || rivals::tracing(|| tracing_deep(SPANS)));
            }),
        ],
    )
}

fn kamon_deep(depth: usize) {
    if depth > 0 {
        kamon::with_span_finishing(kamon::build_span("deep").start(), || kamon_deep(depth - 1));
    }
}

fn fastrace_deep(depth: usize) {
    if depth > 0 {
        let _current = LocalSpan::enter_with_local_parent("deep");
        fastrace_deep(depth - 1);
    }
}

fn tracing_deep(depth: usize) {
    if depth > 0 {
        let _current = tracing::info_span!("deep").entered();
        tracing_deep(depth - 1);
    }
}

/// Futures that are ready at once, each with a span of its own.
fn futures() -> Workload {
    on_one_thread(
        "futures_100",
        vec![
            ours(|meter, _| {
                per_span(meter, SPANS, || {
                    root(|| {
                        for _ in 0..SPANS {
                            let span = kamon::build_span("future").start();
                            poll(ContextFutureExt::in_span(async {}, span));
                        }
                    });
                });
            }),
            peer("fastrace", |meter, _| {
                per_span(meter, SPANS, || {
                    rivals::fastrace(|| {
                        for _ in 0..SPANS {
                            let span = fastrace::Span::enter_with_local_parent("future");
                            poll(fastrace::future::FutureExt::in_span(async {}, span));
                        }
                    });
                });
            }),
            peer("tracing", |meter, _| {
                per_span(meter, SPANS, || {
                    rivals::tracing(|| {
                        for _ in 0..SPANS {
                            poll(async {}.instrument(tracing::info_span!("future")));
                        }
                    });
                });
            }),
        ],
    )
}

fn poll(future: impl Future<Output = ()>) {
    let mut cx = TaskContext::from_waker(Waker::noop());
    assert!(pin!(future).poll(&mut cx).is_ready());
}
