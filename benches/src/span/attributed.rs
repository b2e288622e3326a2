//! What it costs to know where a span's time went: the turns of a task with and without it.

use std::time::Instant;

use kamon::runtime::Builder;
use kamon::ContextFutureExt as _;

use crate::measure::Meter;
use crate::span::{less, on_one_thread, ours};
use crate::workload::Workload;

const TURNS: usize = 1000;

/// Returns the row.
pub(super) fn workloads() -> Vec<Workload> {
    vec![on_one_thread(
        "turns_in_span_1000",
        vec![
            ours(|meter, _| turns(meter, false)),
            less("kamon, attributed", |meter, _| turns(meter, true)),
        ],
    )]
}

/// Measures the turns of a task in a span.
fn turns(meter: &mut Meter<'_>, attributed: bool) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .attribute_latency(attributed)
        .build()
        .expect("a runtime");
    meter.run(|iterations| {
        let begin = Instant::now();
        for _ in 0..iterations {
            let span = kamon::build_span("work").ignore_parent_from_context();
            let task = runtime.spawn(yields().in_span(span.start()));
            runtime.block_on(task).expect("the task is not aborted");
        }
        begin.elapsed().as_nanos() as f64 / (iterations as f64 * TURNS as f64)
    });
}

async fn yields() {
    for _ in 0..TURNS {
        kamon::task::yield_now().await;
    }
}
