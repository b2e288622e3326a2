//! The workloads of async-executor's benchmark `executor` that spawn and yield, with its numbers.

use std::future::Future;
use std::time::Instant;

use futures_lite::{future, FutureExt as _};

use crate::executor::Scheduler;
use crate::measure::Meter;

const TASKS: usize = 300;
const STEPS: usize = 300;
const LIGHT_TASKS: usize = 25_000;

/// One empty task, joined.
pub(crate) fn spawn_one<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| scheduler.block_on(async { S::spawn(async {}).await }));
}

/// Many empty tasks spawned and joined within `block_on`.
pub(crate) fn spawn_many_local<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| scheduler.block_on(spawn_light_tasks::<S>()));
}

/// The same from a worker.
pub(crate) fn spawn_many_from_worker<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| scheduler.block_on(async { S::spawn(spawn_light_tasks::<S>()).await }));
}

async fn spawn_light_tasks<S: Scheduler>() {
    let mut joins = Vec::new();
    for _ in 0..LIGHT_TASKS {
        joins.push(S::spawn(async {}));
    }
    for join in joins {
        join.await;
    }
}

/// Tasks each of which spawns a child and waits for it, to some depth.
pub(crate) fn spawn_recursively<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    #[allow(clippy::manual_async_fn)] // The caller needs to know that it is `Send`.
    fn descend<S: Scheduler>(depth: usize) -> impl Future<Output = ()> + Send + 'static {
        async move {
            if depth != 0 {
                S::spawn(async move { descend::<S>(depth - 1).boxed().await }).await;
            }
        }
    }

    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| spawn_and_join_in_block_on::<S, _>(&scheduler, || descend::<S>(STEPS)));
}

/// Tasks that do nothing but yield, the same way on every scheduler.
pub(crate) fn yield_now<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| {
        spawn_and_join_in_block_on::<S, _>(&scheduler, || async {
            for _ in 0..STEPS {
                future::yield_now().await;
            }
        });
    });
}

/// One task that does nothing but yield: the cost of a poll, and of coming round to it.
pub(crate) fn yield_alone<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.run(|iterations| {
        let alone = scheduler.spawn_from_outside(async move {
            let begin = Instant::now();
            for _ in 0..iterations {
                S::yield_now().await;
            }
            begin.elapsed().as_nanos() as f64 / iterations as f64
        });
        scheduler.block_on(alone)
    });
}

fn spawn_and_join_in_block_on<S, F>(scheduler: &S, mut task: impl FnMut() -> F)
where
    S: Scheduler,
    F: Future<Output = ()> + Send + 'static,
{
    scheduler.block_on(async {
        let mut joins = Vec::new();
        for _ in 0..TASKS {
            joins.push(S::spawn(task()));
        }
        for join in joins {
            join.await;
        }
    });
}
