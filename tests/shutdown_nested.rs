//! What a destructor waits for while a runtime ends does come, also where that is the end of other tasks.

mod witness;

use std::future::pending;
use std::sync::mpsc;

use kamon::runtime::Handle;
use kamon::task::block_in_place;
use witness::{after, workers, Log, Steps, Watched};

/// Shuts a runtime down whose only task does something as it is dropped.
fn shut_down_over(runtime: Watched, as_it_is_dropped: impl FnOnce() + Send + Sync + 'static) {
    let log = Log::new();
    let told = log.clone();
    let last = log.on_drop("future").then(as_it_is_dropped);
    drop(runtime.spawn(after(last, async move {
        told.note("polled");
        pending::<()>().await;
    })));
    runtime.block_on(log.seen("polled", 1));
    runtime.shut_down();
    assert_eq!(log.count("future"), 1);
}

#[test]
fn another_runtime_is_down_once_it_was_dropped() {
    for number in [0, 1, 2] {
        let (inner, log) = (workers(number), Log::new());
        drop(inner.spawn(after(log.on_drop("future"), Steps::never(&log))));
        inner.block_on(log.seen("poll", 1));
        let told = log.clone();
        shut_down_over(workers(0), move || {
            inner.shut_down();
            told.note("down");
        });
        assert_eq!(log.order(), ["poll", "future", "down"]);
    }
}

#[test]
fn a_closure_of_another_runtime_that_waits_for_a_task_there_is_told() {
    let (inner, log) = (workers(0), Log::new());
    let task = inner.spawn(pending::<()>());
    inner.block_on(kamon::task::yield_now());
    let told = log.clone();
    drop(inner.spawn_blocking(move || {
        told.note("waits");
        assert!(futures_lite::future::block_on(task).is_err());
        told.note("was told");
    }));
    log.wait("waits", 1);
    shut_down_over(workers(0), move || inner.shut_down());
    assert_eq!(log.order(), ["waits", "was told"]);
}

#[test]
fn a_task_that_is_spawned_too_late_is_cancelled_before_it_is_awaited() {
    for number in [1, 2] {
        let (sender, cancelled) = mpsc::channel();
        shut_down_over(workers(number), move || {
            let joined = block_in_place(|| {
                Handle::current().block_on(async { kamon::spawn(async {}).await })
            });
            sender.send(joined.unwrap_err().is_cancelled()).unwrap();
        });
        assert_eq!(cancelled.recv(), Ok(true));
    }
}

#[test]
fn and_so_it_is_where_the_destructor_blocks_by_other_means() {
    for number in [1, 2] {
        let (sender, cancelled) = mpsc::channel();
        shut_down_over(workers(number), move || {
            let joined = block_in_place(|| futures_lite::future::block_on(kamon::spawn(async {})));
            sender.send(joined.unwrap_err().is_cancelled()).unwrap();
        });
        assert_eq!(cancelled.recv(), Ok(true));
    }
}
