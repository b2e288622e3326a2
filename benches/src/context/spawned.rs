//! What it costs to spawn a task that carries values, per task, spawned and joined by a task.

use std::future::{ready, Future};
use std::time::Instant;

use opentelemetry::context::FutureExt as _;

use crate::context::{bare, carried, on_one_thread, ours, peer};
use crate::executor::{Kamon, Scheduler, Tokio};
use crate::measure::Meter;
use crate::workload::Workload;

const TASKS: u64 = 1_000;

/// Returns the rows, one for each number of values.
pub(super) fn workloads() -> Vec<Workload> {
    vec![
        row("spawn_0_keys", 0),
        row("spawn_1_key", 1),
        row("spawn_8_keys", 8),
    ]
}

fn row(name: &'static str, values: usize) -> Workload {
    on_one_thread(
        name,
        vec![
            bare(|meter, workers| {
                spawn::<Tokio, _>(meter, workers, || Tokio::spawn(ready(())));
            }),
            ours(move |meter, workers| {
                let _scope = kamon::store_context(carried::kamon(values));
                spawn::<Kamon, _>(meter, workers, || Kamon::spawn(ready(())));
            }),
            peer("tokio task_local", move |meter, workers| {
                let values = carried::task_local(values);
                spawn::<Tokio, _>(meter, workers, move || {
                    Tokio::spawn(carried::TASK_LOCAL.scope(values.clone(), ready(())))
                });
            }),
            peer("opentelemetry", move |meter, workers| {
                let context = carried::opentelemetry(values);
                spawn::<Tokio, _>(meter, workers, move || {
                    Tokio::spawn(ready(()).with_context(context.clone()))
                });
            }),
        ],
    )
}

fn spawn<S, J>(
    meter: &mut Meter<'_>,
    workers: usize,
    spawn_one: impl Fn() -> J + Clone + Send + 'static,
) where
    S: Scheduler,
    J: Future<Output = ()> + Send,
{
    let scheduler = S::start(workers);
    meter.run(|iterations| {
        let spawn_one = spawn_one.clone();
        let begin = Instant::now();
        scheduler.block_on(async {
            S::spawn(async move {
                let mut joins = Vec::with_capacity(TASKS as usize);
                for _ in 0..iterations {
                    for _ in 0..TASKS {
                        joins.push(spawn_one());
                    }
                    for join in joins.drain(..) {
                        join.await;
                    }
                }
            })
            .await;
        });
        begin.elapsed().as_nanos() as f64 / (iterations * TASKS) as f64
    });
}
