//! Every runtime's own numbers are among the metrics, by Kamon's names.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use kamon::metrics::{subscribe, PeriodSnapshot, Subscription, Value};
use kamon::runtime::{Builder, Runtime};
use kamon::task::JoinHandle;

fn watch() -> Subscription {
    subscribe("executor.*", Duration::from_secs(3600))
}

fn runtime(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .name(name)
        .worker_threads(2)
        .build()
        .unwrap()
}

/// A number of the runtime with this name; zero where there is none.
fn number(period: &PeriodSnapshot, metric: &str, runtime: &str) -> f64 {
    let of_runtime = |(key, value): (&str, &str)| (key, value) == ("name", runtime);
    let found: Vec<f64> = period
        .named(metric)
        .filter(|instrument| instrument.tags().iter().any(of_runtime))
        .map(|instrument| match instrument.value() {
            Value::Count(count) => *count as f64,
            Value::Level(level) => *level,
            other => panic!("{metric} is {other:?}"),
        })
        .collect();
    found.iter().sum()
}

#[test]
fn tasks_and_threads_are_counted() {
    let mut subscription = watch();
    let runtime = runtime("counted");
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    // One that is still there when the others have ended.
    let waiting = runtime.spawn(async move { receiver.await.is_ok() });
    runtime.block_on(async {
        for _ in 0..3 {
            kamon::spawn(async {}).await.unwrap();
        }
    });
    // Taken in a task: a worker is at work then.
    let snapshot = runtime.spawn(async move { subscription.snapshot() });
    let period = runtime.block_on(snapshot).unwrap();
    let number = |metric| number(&period, metric, "counted");
    assert_eq!(number("executor.tasks.submitted"), 5.0);
    assert_eq!(number("executor.tasks.completed"), 3.0);
    assert_eq!(number("executor.parallelism"), 2.0);
    assert!(number("executor.threads.total") >= 2.0);
    assert!(number("executor.threads.active") <= number("executor.threads.total"));
    sender.send(()).unwrap();
    assert!(runtime.block_on(waiting).unwrap());
}

#[test]
fn what_is_being_spawned_has_not_ended() {
    let mut subscription = watch();
    let runtime = Builder::new_current_thread().name("begun").build();
    let runtime = Arc::new(runtime.unwrap());
    let spawning = runtime.clone();
    let spawner = std::thread::spawn(move || {
        for _ in 0..200_000 {
            spawning.spawn(std::future::pending::<()>());
        }
    });
    while !spawner.is_finished() {
        let period = subscription.snapshot();
        assert_eq!(number(&period, "executor.tasks.completed", "begun"), 0.0);
    }
    spawner.join().unwrap();
}

#[test]
fn what_waits_for_a_worker_is_in_the_queue() {
    let mut subscription = watch();
    // Nobody runs its tasks before somebody blocks on it.
    let runtime = Builder::new_current_thread().name("queue").build().unwrap();
    let tasks: Vec<_> = (0..3)
        .map(|_| runtime.spawn(kamon::task::yield_now()))
        .collect();
    let size = |period: PeriodSnapshot| number(&period, "executor.queue-size", "queue");
    assert_eq!(size(subscription.snapshot()), 3.0);
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(size(subscription.snapshot()), 0.0);
}

/// A runtime whose two workers are in turns, which end with a wait of the caller's at the barrier.
fn at_work(name: &str) -> (Runtime, Arc<Barrier>, [JoinHandle<()>; 2]) {
    let runtime = runtime(name);
    let (begun, done) = (Arc::new(Barrier::new(3)), Arc::new(Barrier::new(3)));
    let turns = [(); 2].map(|()| {
        let (begun, done) = (begun.clone(), done.clone());
        runtime.spawn(async move {
            begun.wait();
            done.wait();
        })
    });
    begun.wait();
    (runtime, done, turns)
}

#[test]
fn so_is_what_waits_where_a_thread_in_block_on_has_put_it() {
    let mut subscription = watch();
    let (runtime, done, turns) = at_work("guest");
    let waiting = runtime.block_on(async {
        let tasks: Vec<_> = (0..3).map(|_| kamon::spawn(async {})).collect();
        let waiting = number(&subscription.snapshot(), "executor.queue-size", "guest");
        done.wait();
        for task in tasks.into_iter().chain(turns) {
            task.await.unwrap();
        }
        waiting
    });
    assert_eq!(waiting, 3.0);
}

#[test]
fn workers_at_work_are_active() {
    let mut subscription = watch();
    let (runtime, done, tasks) = at_work("active");
    let active = number(
        &subscription.snapshot(),
        "executor.threads.active",
        "active",
    );
    done.wait();
    assert_eq!(active, 2.0);
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
}

#[test]
fn what_a_runtime_did_before_it_went_is_not_lost() {
    let mut subscription = watch();
    for _ in 0..2 {
        let runtime = runtime("gone");
        runtime.block_on(async {
            for _ in 0..5 {
                kamon::spawn(async {}).await.unwrap();
            }
        });
    }
    let period = subscription.snapshot();
    assert_eq!(number(&period, "executor.tasks.submitted", "gone"), 10.0);
    assert_eq!(number(&period, "executor.tasks.completed", "gone"), 10.0);
    // Nothing is counted twice.
    let period = subscription.snapshot();
    assert_eq!(number(&period, "executor.tasks.submitted", "gone"), 0.0);
    assert_eq!(number(&period, "executor.parallelism", "gone"), 0.0);
}

#[test]
fn the_time_in_the_queue_is_measured_on_request() {
    let mut subscription = watch();
    let runtime = Builder::new_current_thread()
        .attribute_latency(true)
        .build()
        .unwrap();
    runtime
        .block_on(async { kamon::spawn(kamon::task::yield_now()).await })
        .unwrap();
    let times = subscription.snapshot().timer("executor.time-in-queue");
    // The task was spawned and woken once, and so was, in a way, the future that is blocked on.
    assert_eq!(times.map(|times| times.count()), Some(4));
}
