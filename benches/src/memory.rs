//! Memory: of a task that waits, of a Context, and whether many cost more each than few.
//!
//! Bytes are those asked for from the allocator; `resident/...` are what the kernel gave.

use std::fs;
use std::future::{poll_fn, Future};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::allocator;
use crate::context::carried;
use crate::executor::{Kamon, Scheduler, Tokio};
use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// How many Contexts are made to find the size of one.
const CONTEXTS: usize = 1_000;

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = vec![
        task("task_1000", 1_000),
        task("task_10000", 10_000),
        task("task_100000", 100_000),
        task("task_1000000", 1_000_000),
        task_with_context("task_with_context_1000", 1_000, allocator::live_bytes),
        task_with_context("task_with_context_10000", 10_000, allocator::live_bytes),
        task_with_context("task_with_context_100000", 100_000, allocator::live_bytes),
        task_with_context(
            "task_with_context_1000000",
            1_000_000,
            allocator::live_bytes,
        ),
        task_with_context("resident/task_with_context", 1_000_000, resident_bytes),
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
    macro_rules! candidate {
        ($scheduler:ident, $role:ident) => {
            Candidate::new($scheduler::NAME, Role::$role, move |meter, workers| {
                let _entered = $scheduler::enter();
                waiting::<$scheduler>(meter, workers, tasks, allocator::live_bytes, || {
                    $scheduler::detach($scheduler::spawn(wait_for_ever()));
                });
            })
        };
    }
    bytes(name, vec![candidate!(Kamon, Ours), candidate!(Tokio, Peer)])
}

/// Tasks that wait for ever, each in a Context of its own.
fn task_with_context(name: &'static str, tasks: usize, memory: fn() -> isize) -> Workload {
    bytes(
        name,
        vec![
            Candidate::new("kamon", Role::Ours, move |meter, workers| {
                waiting::<Kamon>(meter, workers, tasks, memory, || {
                    kamon::spawn_in(carried::kamon(1), wait_for_ever());
                });
            }),
            Candidate::new("tokio task_local", Role::Peer, move |meter, workers| {
                waiting::<Tokio>(meter, workers, tasks, memory, || {
                    tokio::spawn(
                        carried::TASK_LOCAL.scope(carried::task_local(1), wait_for_ever()),
                    );
                });
            }),
        ],
    )
}

static WAITING: AtomicUsize = AtomicUsize::new(0);

async fn wait_for_ever() {
    // A task that nobody can wake is not worth its memory: some executors give it back.
    let mut waker = None;
    poll_fn(|cx| {
        waker = Some(cx.waker().clone());
        WAITING.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    })
    .await
}

/// Measures what each of the tasks takes that `spawn` spawns, when all of them wait.
fn waiting<S: Scheduler>(
    meter: &mut Meter<'_>,
    workers: usize,
    tasks: usize,
    memory: fn() -> isize,
    spawn: impl Fn(),
) {
    allocator::count();
    meter.run(|_| {
        WAITING.store(0, Ordering::Relaxed);
        let scheduler = S::start(workers);
        // What is allocated once only is no part of it.
        scheduler.block_on(scheduler.spawn_from_outside(async { drop(carried::kamon(1)) }));
        let before = memory();
        scheduler.block_on(async {
            for _ in 0..tasks {
                spawn();
            }
        });
        while WAITING.load(Ordering::Relaxed) < tasks {
            thread::yield_now();
        }
        (memory() - before) as f64 / tasks as f64
    });
}

/// A Context with so many values.
fn context(name: &'static str, values: usize) -> Workload {
    bytes(
        name,
        vec![
            Candidate::new("kamon", Role::Ours, move |meter, _| {
                held(meter, || carried::kamon(values));
            }),
            Candidate::new("opentelemetry", Role::Peer, move |meter, _| {
                held(meter, || carried::opentelemetry(values));
            }),
        ],
    )
}

/// Measures what each of the things takes that `make` makes.
fn held<T>(meter: &mut Meter<'_>, make: impl Fn() -> T) {
    let mut things = Vec::with_capacity(CONTEXTS);
    // What is allocated once only is no part of it.
    drop(make());
    allocator::count();
    meter.run(|_| {
        let before = allocator::live_bytes();
        things.extend((0..CONTEXTS).map(|_| make()));
        (allocator::live_bytes() - before) as f64 / CONTEXTS as f64
    });
}

/// Tasks that are all there before the first of them is woken, each in a Context of its own.
fn in_flight(name: &'static str, tasks: usize, rounds: Rounds) -> Workload {
    Workload {
        name,
        workers: Workers::Fixed(2),
        unit: Unit::Nanoseconds,
        rounds,
        candidates: vec![
            Candidate::new("kamon", Role::Ours, move |meter, workers| {
                fly::<Kamon, _>(meter, workers, tasks, |woken| {
                    kamon::spawn_in(carried::kamon(1), woken)
                });
            }),
            Candidate::new("tokio task_local", Role::Peer, move |meter, workers| {
                fly::<Tokio, _>(meter, workers, tasks, |woken| {
                    tokio::spawn(carried::TASK_LOCAL.scope(carried::task_local(1), woken))
                });
            }),
        ],
    }
}

type Woken = oneshot::Receiver<()>;

fn fly<S, J>(meter: &mut Meter<'_>, workers: usize, tasks: usize, spawn: fn(Woken) -> J)
where
    S: Scheduler,
    J: Future + Send + 'static,
{
    let scheduler = S::start(workers);
    meter.run(|iterations| {
        let begin = Instant::now();
        let flight = scheduler.spawn_from_outside(async move {
            for _ in 0..iterations {
                let mut senders = Vec::with_capacity(tasks);
                let mut joins = Vec::with_capacity(tasks);
                for _ in 0..tasks {
                    let (wake, woken) = oneshot::channel();
                    senders.push(wake);
                    joins.push(spawn(woken));
                }
                for wake in senders {
                    wake.send(()).expect("the task waits");
                }
                for join in joins {
                    join.await;
                }
            }
        });
        scheduler.block_on(flight);
        begin.elapsed().as_nanos() as f64 / (iterations as f64 * tasks as f64)
    });
}

/// The memory that the kernel gave to this process.
fn resident_bytes() -> isize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<isize>().ok());
    kilobytes.expect("the kernel tells the resident size") * 1024
}
