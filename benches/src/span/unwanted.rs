//! Spans of traces that are not sampled: kamon measures them, the rivals do nothing.

use fastrace::local::LocalSpan;
use kamon::SamplingDecision;

use crate::span::{less, on_one_thread, ours, peer, per_span, rivals};
use crate::workload::Workload;

const SPANS: usize = 100;

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    vec![on_one_thread(
        "not_sampled_100",
        vec![
            ours(|meter, _| {
                per_span(meter, SPANS, || {
                    root(|| (0..SPANS).for_each(|_| kamon::build_span("child").start().finish()));
                });
            }),
            less("kamon, unmeasured", |meter, _| {
                let child = || {
                    kamon::build_span("child")
                        .disable_metrics()
                        .start()
                        .finish()
                };
                per_span(meter, SPANS, || {
                    root(|| (0..SPANS).for_each(|_| child()));
                });
            }),
            peer("opentelemetry", |meter, _| {
                per_span(meter, SPANS, || {
                    rivals::opentelemetry(false, |tracer| {
                        (0..SPANS).for_each(|_| rivals::opentelemetry_child(tracer));
                    });
                });
            }),
            less("fastrace, no trace", |meter, _| {
                per_span(meter, SPANS, || {
                    for _ in 0..SPANS {
                        let _child = LocalSpan::enter_with_local_parent("child");
                    }
                });
            }),
        ],
    )]
}

fn root(children: impl FnOnce()) {
    let root = kamon::build_span("root")
        .ignore_parent_from_context()
        .with_sampling(SamplingDecision::DoNotSample);
    kamon::with_span_finishing(root.start(), children);
}
