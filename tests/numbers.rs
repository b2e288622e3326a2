//! A runtime's numbers: what is counted is what happened.

use std::future::Future;
use std::pin::Pin;
use std::sync::{mpsc, Arc, Barrier};
use std::task::{Context as TaskContext, Poll};
use std::thread;

use kamon::runtime::{worker_index, Builder, LocalRuntime, Runtime, RuntimeMetrics};
use kamon::task::yield_now;
use kamon::time::{sleep, Duration};

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn multi_thread(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .build()
        .unwrap()
}

fn on_each(test: impl Fn(Runtime)) {
    test(current_thread());
    test(multi_thread(1));
    test(multi_thread(2));
}

/// Waits for what other threads do at their own pace.
#[track_caller]
fn eventually(condition: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it never came true"
        );
        thread::yield_now();
    }
}

#[test]
fn of_tasks_that_are_alive() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        assert_eq!(metrics.num_alive_tasks(), 0);
        let waiting: Vec<_> = (0..10)
            .map(|_| runtime.spawn(std::future::pending::<()>()))
            .collect();
        assert_eq!(metrics.num_alive_tasks(), 10);
        assert_eq!(metrics.spawned_tasks_count(), 10);
        runtime.block_on(async {
            kamon::spawn(async {}).await.unwrap();
        });
        eventually(|| metrics.num_alive_tasks() == 10);
        for task in &waiting {
            task.abort();
        }
        runtime.block_on(async {
            for task in waiting {
                task.await.unwrap_err();
            }
        });
        eventually(|| metrics.num_alive_tasks() == 0);
        assert_eq!(metrics.spawned_tasks_count(), 11);
        drop(runtime);
        assert_eq!(
            metrics.num_alive_tasks(),
            0,
            "also when the runtime has gone"
        );
    });
}

#[test]
fn of_queues() {
    let runtime = current_thread();
    let metrics = runtime.metrics();
    for _ in 0..20 {
        runtime.spawn(async {});
    }
    assert_eq!(metrics.global_queue_depth(), 20);
    runtime.block_on(async {
        for _ in 0..30 {
            kamon::spawn(async {});
        }
        let depth = metrics.worker_local_queue_depth(0) + metrics.global_queue_depth();
        assert_eq!(depth, 50);
        while metrics.num_alive_tasks() > 0 {
            yield_now().await;
        }
        assert_eq!(metrics.worker_local_queue_depth(0), 0);
    });
    assert_eq!(metrics.global_queue_depth(), 0);
}

/// A task that takes so many turns.
struct Turns(u32);

impl Future for Turns {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.0 -= 1;
        if self.0 == 0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[test]
fn of_turns() {
    let runtime = current_thread();
    let metrics = runtime.metrics();
    runtime.block_on(async { kamon::spawn(Turns(100)).await.unwrap() });
    assert_eq!(metrics.worker_poll_count(0), 100);

    let runtime = multi_thread(2);
    let metrics = runtime.metrics();
    let task = runtime.spawn(Turns(100));
    futures_lite::future::block_on(task).unwrap();
    let polls = || {
        (0..2)
            .map(|worker| metrics.worker_poll_count(worker))
            .sum::<u64>()
    };
    eventually(|| polls() == 100);
}

#[test]
fn of_sleeping_workers() {
    let runtime = multi_thread(2);
    let metrics = runtime.metrics();
    let asleep = |metrics: &RuntimeMetrics| {
        (0..2).all(|worker| metrics.worker_park_unpark_count(worker) % 2 == 1)
    };
    eventually(|| asleep(&metrics));
    let parks: Vec<u64> = (0..2).map(|w| metrics.worker_park_count(w)).collect();
    // Both are called, since each waits for the other.
    let barrier = Arc::new(Barrier::new(2));
    let tasks = [(); 2].map(|()| {
        let barrier = barrier.clone();
        runtime.spawn(async move {
            barrier.wait();
        })
    });
    futures_lite::future::block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    eventually(|| asleep(&metrics));
    for (worker, before) in parks.into_iter().enumerate() {
        assert!(metrics.worker_park_count(worker) > before);
    }
}

#[test]
fn of_busy_time() {
    let runtime = multi_thread(1);
    let metrics = runtime.metrics();
    let before = metrics.worker_total_busy_duration(0);
    let busy = Duration::from_millis(5);
    let task = runtime.spawn(async move {
        let start = std::time::Instant::now();
        while start.elapsed() < busy {
            std::hint::spin_loop();
        }
    });
    futures_lite::future::block_on(task).unwrap();
    eventually(|| metrics.worker_total_busy_duration(0) >= before + busy);
    // Waiting is not work. (Unless the system takes the thread away while it is at work: so one
    // time out of many will do.)
    let wait = Duration::from_millis(20);
    let is_not_counted = || {
        let before = metrics.worker_total_busy_duration(0);
        futures_lite::future::block_on(runtime.spawn(sleep(wait))).unwrap();
        metrics.worker_total_busy_duration(0) < before + wait
    };
    assert!((0..100).any(|_| is_not_counted()));
}

#[test]
fn of_steals() {
    let runtime = multi_thread(2);
    let metrics = runtime.metrics();
    // One worker queues tasks of its own and blocks: somebody else has to take them.
    let task = runtime.spawn(async {
        let (sender, receiver) = mpsc::channel();
        for number in 0..10 {
            let sender = sender.clone();
            kamon::spawn(async move { sender.send(number).unwrap() });
        }
        (0..10).map(|_| receiver.recv().unwrap()).sum::<u32>()
    });
    assert_eq!(futures_lite::future::block_on(task).unwrap(), 45);
    let steals = (0..2)
        .map(|w| metrics.worker_steal_operations(w))
        .sum::<u64>();
    assert!(steals > 0);
}

#[test]
fn of_the_blocking_pool() {
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(2)
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    let count = |m: &RuntimeMetrics| {
        (
            m.num_blocking_threads(),
            m.num_idle_blocking_threads(),
            m.blocking_queue_depth(),
        )
    };
    assert_eq!(count(&metrics), (0, 0, 0));
    let barrier = Arc::new(Barrier::new(3));
    let tasks = [(); 3].map(|()| {
        let barrier = barrier.clone();
        runtime.spawn_blocking(move || {
            barrier.wait();
        })
    });
    eventually(|| count(&metrics) == (2, 0, 1));
    barrier.wait();
    // The third one has nobody to wait with but us.
    eventually(|| count(&metrics).2 == 0);
    let helpers = [(); 2].map(|()| {
        let barrier = barrier.clone();
        thread::spawn(move || {
            barrier.wait();
        })
    });
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    for helper in helpers {
        helper.join().unwrap();
    }
    eventually(|| count(&metrics) == (2, 2, 0));
}

#[test]
fn of_workers_match_their_index() {
    assert_eq!(worker_index(), None);
    let runtime = current_thread();
    assert_eq!(runtime.metrics().num_workers(), 1);
    assert_eq!(runtime.block_on(async { worker_index() }), Some(0));
    assert_eq!(
        runtime
            .block_on(runtime.spawn_blocking(worker_index))
            .unwrap(),
        None
    );
    assert_eq!(
        LocalRuntime::new()
            .unwrap()
            .block_on(async { worker_index() }),
        Some(0)
    );

    let runtime = multi_thread(2);
    let metrics = runtime.metrics();
    assert_eq!(metrics.num_workers(), 2);
    assert_eq!(runtime.block_on(async { worker_index() }), None);
    let (sender, receiver) = mpsc::channel();
    let task = runtime.spawn(async move {
        let index = worker_index().unwrap();
        let before = metrics.worker_poll_count(index);
        yield_now().await;
        // Nobody else has work, but another worker may have stolen this.
        let after = worker_index().unwrap();
        sender
            .send((index, after, metrics.worker_poll_count(after) > 0, before))
            .unwrap();
    });
    futures_lite::future::block_on(task).unwrap();
    let (index, after, counted, before) = receiver.recv().unwrap();
    assert!(index < 2 && after < 2 && counted && before > 0);
}
