//! Children in a row, of a root of their own: started, finished and recorded.

use fastrace::local::LocalSpan;

use crate::span::{configure, less, on_one_thread, ours, peer, per_span, rivals};
use crate::workload::Workload;

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    vec![
        children("children_1", 1),
        children("children_10", 10),
        children("children_100", 100),
        children("children_1000", 1000),
        children("children_10000", 10_000),
    ]
}

fn children(name: &'static str, number: usize) -> Workload {
    on_one_thread(
        name,
        vec![
            ours(move |meter, _| {
                per_span(meter, number, || {
                    root(|| (0..number).for_each(|_| kamon::build_span("child").start().finish()));
                });
            }),
            less("kamon, unmeasured", move |meter, _| {
                let child = || {
                    kamon::build_span("child")
                        .disable_metrics()
                        .start()
                        .finish()
                };
                per_span(meter, number, || {
                    root(|| (0..number).for_each(|_| child()));
                });
            }),
            less("kamon, ring off", move |meter, _| {
                configure(Some(0));
                per_span(meter, number, || {
                    root(|| (0..number).for_each(|_| kamon::build_span("child").start().finish()));
                });
            }),
            peer("fastrace", move |meter, _| {
                per_span(meter, number, || {
                    rivals::fastrace(|| {
                        for _ in 0..number {
                            let _child = LocalSpan::enter_with_local_parent("child");
                        }
                    });
                });
            }),
            peer("opentelemetry", move |meter, _| {
                per_span(meter, number, || {
                    rivals::opentelemetry(true, |tracer| {
                        (0..number).for_each(|_| rivals::opentelemetry_child(tracer));
                    });
                });
            }),
            peer("tracing", move |meter, _| {
                per_span(meter, number, || {
                    rivals::tracing(|| {
                        for _ in 0..number {
                            let _child = tracing::info_span!("child").entered();
                        }
                    });
                });
            }),
        ],
    )
}

/// A trace of kamon's: `children` run in its root.
pub(super) fn root(children: impl FnOnce()) {
    let root = kamon::build_span("root").ignore_parent_from_context();
    kamon::with_span_finishing(root.start(), children);
}
