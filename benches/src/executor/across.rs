//! Workloads that cross the border between a scheduler's threads and others.

use std::sync::Barrier;
use std::thread;

use crate::executor::Scheduler;
use crate::measure::Meter;

const REMOTE_SPAWNS: usize = 12_800;
const REQUESTS: usize = 1_000;

/// Threads that are no workers spawn empty tasks all at once: tokio's benchmark `remote_spawn`.
pub(crate) fn remote_spawn<S: Scheduler>(meter: &mut Meter<'_>, workers: usize, threads: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let each = REMOTE_SPAWNS / threads;
    meter.iter(|| {
        let barrier = Barrier::new(threads);
        thread::scope(|scope| {
            let spawning: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let _entered = S::enter();
                        let mut joins = Vec::with_capacity(each);
                        barrier.wait();
                        for _ in 0..each {
                            joins.push(scheduler.spawn_from_outside(async {}));
                        }
                        joins
                    })
                })
                .collect();
            let joins: Vec<_> = spawning
                .into_iter()
                .flat_map(|thread| thread.join().expect("the thread only spawns"))
                .collect();
            scheduler.block_on(async {
                for join in joins {
                    join.await;
                }
            });
        });
    });
}

/// The future in `block_on` sends requests to a task, one after the other, and awaits each reply.
pub(crate) fn request_reply<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let (request, requests) = async_channel::bounded::<usize>(1);
    let (reply, replies) = async_channel::bounded::<usize>(1);
    S::detach(scheduler.spawn_from_outside(async move {
        while let Ok(number) = requests.recv().await {
            if reply.send(number + 1).await.is_err() {
                break;
            }
        }
    }));
    meter.iter(|| {
        scheduler.block_on(async {
            for number in 0..REQUESTS {
                request.send(number).await.expect("the task listens");
                assert_eq!(replies.recv().await, Ok(number + 1));
            }
        });
    });
}
