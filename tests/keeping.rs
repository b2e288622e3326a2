//! A worker calls another one only where that is worth it, and nothing is left lying for that.

use std::sync::mpsc;

use kamon::runtime::{worker_index, Builder, Runtime};
use kamon::task::yield_now;
use kamon::time::Duration;

fn two_workers() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).build().unwrap()
}

/// Nobody could do anything for it but take it away.
#[test]
fn a_task_that_yields_alone_calls_nobody() {
    let runtime = two_workers();
    let metrics = runtime.metrics();
    let task = runtime.spawn(async move {
        let state = || {
            let index = worker_index().unwrap();
            (index, metrics.worker_park_unpark_count(1 - index))
        };
        // Who falls asleep may see the task between two of its turns, and look once more.
        for _ in 0..100 {
            let before = state();
            for _ in 0..1000 {
                yield_now().await;
            }
            if state() == before {
                return true;
            }
        }
        false
    });
    assert!(futures_lite::future::block_on(task).unwrap());
}

/// Spawns two tasks that do nothing, and waits for both. The first one waits in the queue meanwhile.
async fn spawn_two() {
    let two = [kamon::spawn(async {}), kamon::spawn(async {})];
    for task in two {
        task.await.unwrap();
    }
}

/// A call takes longer than what is queued. ThreadSanitizer's turns are too long for that.
#[cfg(not(kamon_tsan))]
#[test]
fn tasks_whose_turns_are_short_call_nobody() {
    const ROUNDS: u64 = 10_000;
    let runtime = two_workers();
    let metrics = runtime.metrics();
    let task = runtime.spawn(async move {
        let calls = || -> u64 {
            let of = |worker| {
                metrics.worker_park_unpark_count(worker) + metrics.worker_steal_operations(worker)
            };
            [0, 1].map(of).iter().sum()
        };
        // Others may need the processors, which makes turns long.
        for _ in 0..100 {
            let before = calls();
            for _ in 0..ROUNDS {
                spawn_two().await;
            }
            if calls() - before < ROUNDS / 4 {
                return true;
            }
        }
        false
    });
    assert!(futures_lite::future::block_on(task).unwrap());
}

/// Nobody was called for what it queued; but there is one who watches.
#[test]
fn what_waits_behind_a_long_turn_after_short_ones_is_found() {
    let runtime = two_workers();
    for _ in 0..20 {
        let task = runtime.spawn(async {
            for _ in 0..1000 {
                spawn_two().await;
            }
            let (done, finished) = mpsc::channel();
            for _ in 0..2 {
                let done = done.clone();
                drop(kamon::spawn(async move { done.send(()) }));
            }
            // For the other one, in the slot, nobody need come.
            let first = finished.recv_timeout(Duration::from_secs(60));
            first.expect("somebody comes");
        });
        futures_lite::future::block_on(task).unwrap();
    }
}

/// Once it has nothing in its queue there is nothing to watch over.
#[test]
fn nobody_naps_beside_a_worker_that_is_held_up_for_long() {
    let (nap, naps) = mpsc::channel();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_park(move || nap.send(()).unwrap_or_default())
        .build()
        .unwrap();
    let (block, blocked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    runtime.spawn(async move {
        for _ in 0..10_000 {
            spawn_two().await;
        }
        block.send(()).unwrap();
        released.recv().unwrap_err();
    });
    blocked.recv().unwrap();
    let sleeps_on = |_| {
        while naps.try_recv().is_ok() {}
        // The longest nap is a tenth of that.
        naps.recv_timeout(Duration::from_millis(16)).is_err()
    };
    assert!((0..1000).any(sleeps_on));
    drop(release);
}
