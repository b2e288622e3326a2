//! Memory: of a task that waits, of a Context, and whether many cost more each than few.
//!
//! Bytes are those asked for from the allocator; `resident/...` are what the kernel gave.

use std::fs;
use std::future::{pending, Future};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::allocator;
use crate::context::carried;
use crate::executor::{AsyncExecutor, AsyncExecutorStatic, Kamon, Scheduler, Tokio};
use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// How many values a task's own Context has.
const VALUES: usize = 2;

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = vec![
        task("task_1000", 1_000),
        task("task_10000", 10_000),
        task("task_100000", 100_000),
        task("task_1000000", 1_000_000),
        task_with_context("task_with_context_1000", 1_000),
        task_with_context("task_with_context_10000", 10_000),
        task_with_context("task_with_context_100000", 100_000),
        task_with_context("task_with_context_1000000", 1_000_000),
        resident("resident/task_with_context_1000000", 1_000_000),
        context("context_1", 1),
        context("context_4", 4),
        context("context_8", 8),
        context("context_32", 32),
    ];
    workloads.extend([
        in_flight("time_in_flight/1000", 1_000, Rounds::AsTold),
        in_flight("time_in_flight/10000", 10_000, Rounds::AsTold),
        in_flight("time_in_flight/100000", 100_000, Rounds::AtMost(5)),
        in_flight("time_in_flight/1000000", 1_000_000, Rounds::AtMost(3)),
    ]);
    Group {
        name: "memory",
        about: "bytes of each task that waits and of each Context; time_in_flight/...: time to \
                spawn, wake and join each of so many tasks with a Context of its own",
        workloads,
    }
}

fn bytes(name: &'static str, candidates: Vec<Candidate>) -> Workload {
    Workload {
        name,
        workers: Workers::Fixed(2),
        unit: Unit::Bytes,
        // Counted, not timed: there is nothing to average.
        rounds: Rounds::AtMost(1),
        candidates,
    }
}

/// Tasks that wait for ever, in the same Context.
fn task(name: &'static str, tasks: usize) -> Workload {
    fn body<S: Scheduler>(meter: &mut Meter<'_>, workers: usize, tasks: usize) {
        let _entered = S::enter();
        waiting::<S, _>(meter, workers, tasks, counted, || S::spawn(pending()));
    }
    bytes(
        name,
        vec![
            Candidate::new(Kamon::NAME, Role::Ours, move |m, w| body::<Kamon>(m, w, tasks)),
            Candidate::new(Tokio::NAME, Role::Peer, move |m, w| body::<Tokio>(m, w, tasks)),
            Candidate::new(AsyncExecutor::NAME, Role::Peer, move |m, w| {
                body::<AsyncExecutor>(m, w, tasks);
            }),
            Candidate::new(AsyncExecutorStatic::NAME, Role::Peer, move |m, w| {
                body::<AsyncExecutorStatic>(m, w, tasks);
            }),
        ],
    )
}

/// Tasks that wait for ever, each in a Context of its own.
fn task_with_context(name: &'static str, tasks: usize) -> Workload {
    bytes(
        name,
        vec![
            Candidate::new("kamon", Role::Ours, move |meter, workers| {
                waiting::<Kamon, _>(meter, workers, tasks, counted, || {
                    kamon::spawn_in(carried::kamon(VALUES), pending())
                });
            }),
            Candidate::new("tokio task_local", Role::Peer, move |meter, workers| {
                waiting::<Tokio, _>(meter, workers, tasks, counted, || {
                    let values = carried::task_local(VALUES);
                    tokio::spawn(carried::TASK_LOCAL.scope(values, pending()))
                });
            }),
        ],
    )
}

/// The same, as the kernel sees it.
fn resident(name: &'static str, tasks: usize) -> Workload {
    bytes(
        name,
        vec![
            Candidate::new("kamon", Role::Ours, move |meter, workers| {
                waiting::<Kamon, _>(meter, workers, tasks, resident_bytes, || {
                    kamon::spawn_in(carried::kamon(VALUES), pending())
                });
            }),
            Candidate::new("tokio task_local", Role::Peer, move |meter, workers| {
                waiting::<Tokio, _>(meter, workers, tasks, resident_bytes, || {
                    let values = carried::task_local(VALUES);
                    tokio::spawn(carried::TASK_LOCAL.scope(values, pending()))
                });
            }),
        ],
    )
}

/// Measures what each of the tasks takes that `spawn` makes.
fn waiting<S: Scheduler, J>(
    meter: &mut Meter<'_>,
    workers: usize,
    tasks: usize,
    memory: fn() -> isize,
    spawn: impl Fn() -> J,
) -> f64
where
    J: Future<Output: Sized>,
{
    todo
}
