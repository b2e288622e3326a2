//! What every runtime counts about itself, as metrics by Kamon's names: this room is the lowest that
//! knows of both.

use std::any::Any;

use crate::executor::runtime::{RuntimeMetrics, WeakMetrics};
use crate::metrics::{counter, gauge};

/// A runtime that was given no name.
const NAMELESS: &str = "kamon";

/// Has `executor.*` of a runtime observed until what is returned is dropped. Runtimes of the same name
/// are added up.
pub(crate) fn observe_runtime(
    name: Option<&str>,
    metrics: &WeakMetrics,
) -> Box<dyn Any + Send + Sync> {
    // In a model they would outlive the execution in which they were made.
    if cfg!(kamon_loom) {
        return Box::new(());
    }
    let name = name.unwrap_or(NAMELESS);
    let counters = COUNTERS.iter().map(|&(metric, description, read)| {
        let metrics = metrics.clone();
        counter(metric)
            .with_description(description)
            .with_tag("name", name.to_owned())
            .with_tag("type", "kamon")
            .observe(move || metrics.upgrade().map_or(0, |metrics| read(&metrics)))
    });
    let gauges = GAUGES.iter().map(|&(metric, description, read)| {
        let metrics = metrics.clone();
        gauge(metric)
            .with_description(description)
            .with_tag("name", name.to_owned())
            .with_tag("type", "kamon")
            .observe(move || metrics.upgrade().map_or(0, |metrics| read(&metrics)) as f64)
    });
    Box::new(counters.chain(gauges).collect::<Vec<_>>())
}

type Counted = (&'static str, &'static str, fn(&RuntimeMetrics) -> u64);
type Gauged = (&'static str, &'static str, fn(&RuntimeMetrics) -> usize);

const COUNTERS: &[Counted] = &[
    (
        "executor.tasks.submitted",
        "tasks spawned on the runtime",
        RuntimeMetrics::spawned_tasks_count,
    ),
    (
        "executor.tasks.completed",
        "tasks of the runtime that have ended",
        |metrics| {
            // In this order, what is spawned in between is not taken for something that has ended.
            let spawned = metrics.spawned_tasks_count();
            spawned.saturating_sub(metrics.num_alive_tasks() as u64)
        },
    ),
];

const GAUGES: &[Gauged] = &[
    (
        "executor.parallelism",
        "workers of the runtime",
        RuntimeMetrics::num_workers,
    ),
    (
        "executor.threads.total",
        "workers and threads of the blocking pool",
        |metrics| metrics.num_workers() + metrics.num_blocking_threads(),
    ),
    (
        "executor.threads.active",
        "workers and threads of the blocking pool that are at work",
        |metrics| {
            let awake = |worker: &usize| metrics.worker_park_unpark_count(*worker) % 2 == 0;
            let workers = (0..metrics.num_workers()).filter(awake).count();
            let idle = metrics.num_idle_blocking_threads();
            workers + metrics.num_blocking_threads().saturating_sub(idle)
        },
    ),
    (
        "executor.queue-size",
        "tasks that wait for a worker",
        |metrics| {
            let own = |worker| metrics.worker_local_queue_depth(worker);
            let workers: usize = (0..metrics.num_workers()).map(own).sum();
            metrics.global_queue_depth() + workers
        },
    ),
];
