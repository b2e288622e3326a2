//! Rule 1 of the Context, the other half: whatever a task leaves is dropped in its Context, on
//! whichever way it ends.

mod witness;

use std::sync::mpsc;

use kamon::runtime::Runtime;
use kamon::task::{JoinHandle, JoinSet};
use kamon::{store_context, with_context};
use witness::{after, current, on_each, request, workers, Log, Steps};

/// The task under test is of request 1; whoever deals with it is of request 2.
const TASK: u32 = 1;
const OTHER: u32 = 2;

/// Spawns a future that owns something, from a place that is of another request.
fn spawn<T: Send + 'static>(
    runtime: &Runtime,
    log: &Log,
    future: impl std::future::Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let _guard = runtime.enter();
    kamon::spawn_in(request(TASK), after(log.on_drop("future"), future))
}

/// Asserts that the future was dropped, once and in its Context, after so many polls in it.
#[track_caller]
fn assert_dropped_in_context(log: &Log, polls: usize) {
    assert_eq!(log.once("future").request, TASK);
    assert_eq!(log.requests("poll"), vec![TASK; polls]);
}

/// Runs `block_on` as somebody else.
fn elsewhere<F: std::future::Future>(runtime: &Runtime, future: F) -> F::Output {
    with_context(request(OTHER), || runtime.block_on(future))
}

#[test]
fn rule_1_on_completion() {
    on_each(|runtime| {
        let log = Log::new();
        let task = spawn(runtime, &log, Steps::ready_after(&log, 2));
        let id = task.id();
        elsewhere(runtime, task).unwrap();
        assert_dropped_in_context(&log, 3);
        assert_eq!(log.once("future").task, Some(id), "as the task that it is");
        assert_eq!(log.order().last(), Some(&"future"));
    });
}

#[test]
fn rule_1_on_panic() {
    on_each(|runtime| {
        let log = Log::new();
        let task = spawn(runtime, &log, Steps::panics_after(&log, 2));
        let error = elsewhere(runtime, task).unwrap_err();
        assert_eq!(error.into_panic().downcast_ref(), Some(&"planned"));
        assert_dropped_in_context(&log, 3);
    });
}

#[test]
fn rule_1_on_abort_while_it_waits() {
    on_each(|runtime| {
        let log = Log::new();
        let task = spawn(runtime, &log, Steps::never(&log));
        elsewhere(runtime, async {
            log.seen("poll", 1).await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            // The handle resolves when the future is gone, not before.
            assert_dropped_in_context(&log, 1);
        });
    });
}

#[test]
fn rule_1_on_abort_before_the_first_poll() {
    on_each(|runtime| {
        let log = Log::new();
        elsewhere(runtime, async {
            // The only worker, if there is one, is busy with the task that does this.
            kamon::spawn(async {}).await.unwrap();
        });
        let task = spawn_unpolled(runtime, &log);
        task.abort();
        assert!(elsewhere(runtime, task).unwrap_err().is_cancelled());
        assert_dropped_in_context(&log, 0);
    });
}

/// Spawns a task that is aborted, or whose runtime ends, before anybody can poll it: its workers
/// are kept busy until what this returns has gone too far.
fn spawn_unpolled(runtime: &Runtime, log: &Log) -> JoinHandle<()> {
    let workers = match runtime.handle().runtime_flavor() {
        kamon::runtime::RuntimeFlavor::CurrentThread => 0,
        _ => runtime.metrics().num_workers(),
    };
    let _guard = runtime.enter();
    let busy: Vec<mpsc::Sender<()>> = (0..workers)
        .map(|_| {
            let (release, released) = mpsc::channel();
            let log = log.clone();
            drop(kamon::spawn_root(async move {
                log.note("busy");
                let _ = released.recv();
            }));
            release
        })
        .collect();
    log.wait("busy", workers);
    let task = spawn(runtime, log, Steps::never(log));
    let abort = task.abort_handle();
    abort.abort();
    drop(busy);
    task
}

#[test]
fn rule_1_when_it_aborts_itself() {
    on_each(|runtime| {
        let log = Log::new();
        let told = log.clone();
        let (sender, receiver) = tokio::sync::oneshot::channel::<kamon::task::AbortHandle>();
        let task = spawn(runtime, &log, async move {
            receiver.await.unwrap().abort();
            told.note("goes on to its next await");
            Steps::never(&told).await;
        });
        sender.send(task.abort_handle()).unwrap();
        assert!(elsewhere(runtime, task).unwrap_err().is_cancelled());
        assert_dropped_in_context(&log, 1);
        assert_eq!(log.once("goes on to its next await").request, TASK);
    });
}

#[test]
fn rule_1_when_its_set_is_dropped() {
    on_each(|runtime| {
        let log = Log::new();
        elsewhere(runtime, async {
            let mut set = JoinSet::new();
            with_context(request(TASK), || {
                set.spawn(after(log.on_drop("future"), Steps::never(&log)));
            });
            log.seen("poll", 1).await;
            drop(set);
            log.seen("future", 1).await;
        });
        assert_dropped_in_context(&log, 1);
    });
}

#[test]
fn rule_1_when_nobody_joins_it_and_nobody_can_wake_it() {
    on_each_kind(|runtime| {
        let log = Log::new();
        // Its handle is gone, and it has put its waker nowhere.
        drop(spawn(&runtime, &log, Steps::never(&log)));
        elsewhere(&runtime, log.seen("poll", 1));
        let _scope = store_context(request(OTHER));
        runtime.shut_down();
        assert_dropped_in_context(&log, 1);
    });
    on_each_kind(|runtime| {
        let (log, poll) = (Log::new(), Log::new());
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let told = poll.clone();
        drop(spawn(&runtime, &log, async move {
            told.note("poll");
            let _ = receiver.await;
            std::future::pending::<()>().await;
        }));
        elsewhere(&runtime, poll.seen("poll", 1));
        // The last waker goes on a thread of somebody else.
        let thread = std::thread::spawn(|| with_context(request(OTHER), || drop(sender)));
        thread.join().unwrap();
        runtime.shut_down();
        assert_dropped_in_context(&log, 0);
    });
}

#[test]
fn rule_1_on_shutdown_while_it_waits() {
    for number in [0, 1, 2, 4] {
        let (runtime, log) = (workers(number), Log::new());
        let task = spawn(&runtime, &log, Steps::never(&log));
        elsewhere(&runtime, log.seen("poll", 1));
        with_context(request(OTHER), || runtime.shut_down());
        assert_dropped_in_context(&log, 1);
        let result = futures_lite::future::block_on(task);
        assert!(result.unwrap_err().is_cancelled());
    }
}

#[test]
fn rule_1_on_shutdown_never_polled() {
    let (runtime, log) = (workers(0), Log::new());
    let task = spawn(&runtime, &log, Steps::ready_after(&log, 0));
    let _scope = store_context(request(OTHER));
    runtime.shut_down();
    assert_dropped_in_context(&log, 0);
    assert!(futures_lite::future::block_on(task)
        .unwrap_err()
        .is_cancelled());
    assert_eq!(current(), OTHER);
}

#[test]
fn rule_1_on_shutdown_between_two_turns() {
    on_each_kind(|runtime| {
        let log = Log::new();
        for _ in 0..100 {
            drop(spawn(
                &runtime,
                &log,
                Steps::ready_after(&log, usize::MAX - 1),
            ));
        }
        elsewhere(&runtime, log.seen("poll", 500));
        with_context(request(OTHER), || runtime.shut_down());
        assert_eq!(log.requests("future"), [TASK; 100]);
        assert!(log.requests("poll").iter().all(|&seen| seen == TASK));
    });
}

fn on_each_kind(test: impl Fn(witness::Watched)) {
    for number in [0, 1, 2, 4] {
        test(workers(number));
    }
}

#[test]
fn rule_1_when_it_is_spawned_on_a_runtime_that_has_ended() {
    for number in [0, 1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        let handle = runtime.handle().clone();
        runtime.shut_down();
        let _scope = store_context(request(OTHER));
        let future = after(log.on_drop("future"), Steps::ready_after(&log, 0));
        let task = with_context(request(TASK), || handle.spawn(future));
        assert!(futures_lite::future::block_on(task)
            .unwrap_err()
            .is_cancelled());
        assert_dropped_in_context(&log, 0);
    }
}

#[test]
fn rule_1_a_task_that_spawns_as_it_is_dropped() {
    on_each_kind(|runtime| {
        let log = Log::new();
        let inner = log.clone();
        let handle = runtime.handle().clone();
        let outer = log.on_drop("future").then(move || {
            drop(handle.spawn(after(inner.on_drop("child"), async {})));
        });
        let poll = log.clone();
        let future = after(outer, async move { Steps::never(&poll).await });
        drop(with_context(request(TASK), || runtime.spawn(future)));
        elsewhere(&runtime, log.seen("poll", 1));
        runtime.shut_down();
        assert_dropped_in_context(&log, 1);
        assert_eq!(log.once("child").request, TASK);
    });
}
