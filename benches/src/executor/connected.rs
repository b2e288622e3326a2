//! The workloads of async-executor's benchmark `executor` with channels, with its numbers.

use std::hint::black_box;
use std::mem;

use fastrand::Rng;
use futures_lite::future;

use crate::executor::Scheduler;
use crate::measure::Meter;

const TASKS: usize = 300;
const STEPS: usize = 300;
const SEED: u64 = 0x1234_5678;

/// A chain of tasks that hand a message on, one message at a time.
pub(crate) fn channels<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| {
        scheduler.block_on(async {
            let mut joins = Vec::new();
            let (first, mut last) = async_channel::bounded(1);
            for _ in 0..TASKS {
                let (next, its_end) = async_channel::bounded(1);
                let previous = mem::replace(&mut last, its_end);
                joins.push(S::spawn(async move {
                    for _ in 0..STEPS {
                        previous.recv().await.expect("the task before sends");
                        next.send(()).await.expect("the task behind receives");
                    }
                }));
            }
            for _ in 0..STEPS {
                first.send(()).await.expect("the first task receives");
                last.recv().await.expect("the last task sends");
            }
            for join in joins {
                join.await;
            }
        });
    });
}

type Query = async_channel::Sender<usize>;

/// A server that spawns a task for each request; half of them ask a database task many times.
pub(crate) fn web_server<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    meter.iter(|| {
        scheduler.block_on(async {
            let (queries, incoming) = async_channel::bounded(TASKS / 5);
            let mut random = Rng::with_seed(SEED);
            let for_server = random.fork();
            let database = S::spawn(serve_queries(incoming, random));
            let server = S::spawn(serve_requests::<S>(queries, for_server));
            server.await;
            database.await;
        });
    });
}

async fn serve_queries(incoming: async_channel::Receiver<Query>, mut random: Rng) {
    while let Ok(query) = incoming.recv().await {
        for _ in 0..random.usize(..10) {
            future::yield_now().await;
        }
        // Nobody hangs up while it waits.
        query
            .send(random.usize(..))
            .await
            .expect("the request waits for its answer");
    }
}

async fn serve_requests<S: Scheduler>(queries: async_channel::Sender<Query>, mut random: Rng) {
    for number in 0..TASKS {
        if random.usize(..=16) == 16 {
            future::yield_now().await;
        }
        S::detach(S::spawn(serve_request(queries.clone(), random.fork())));
        if number & 16 == 0 {
            future::yield_now().await;
        }
    }
}

async fn serve_request(queries: async_channel::Sender<Query>, mut random: Rng) {
    if random.bool() {
        // The answer is known.
        future::yield_now().await;
        return;
    }
    for _ in 0..random.usize(STEPS / 2..STEPS) {
        let (query, answer) = async_channel::bounded(1);
        queries.send(query).await.expect("the database listens");
        black_box(answer.recv().await.expect("the database answers"));
    }
    for _ in 0..random.usize(3..16) {
        future::yield_now().await;
    }
}
