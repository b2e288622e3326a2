//! What `tokio::spawn` and tokio's `spawn_blocking` do inside kamon tasks, and the Context on
//! tokio's own runtimes.
#![cfg(feature = "tokio")]
#![allow(clippy::async_yields_async)] // The output of a task may well be a handle or a future.

mod witness;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::sync::Arc;

use kamon::runtime::{worker_index, Handle};
use kamon::task::block_in_place;
use kamon::{current_context, store_context, with_context, ContextFutureExt as _, Key};
use witness::{after, current, on_each, pause, request, workers, Log, Steps, Tally};

// tokio's tasks on the runtime inside of ours.

#[test]
fn tokio_tasks_make_progress_while_workers_are_idle() {
    on_each(|runtime| {
        let seen = with_context(request(1), || {
            runtime.block_on(async {
                let from_root = tokio::spawn(async {
                    tokio::time::sleep(tokio::time::Duration::from_millis(1)).await;
                    current()
                });
                let from_task = kamon::spawn(async {
                    let inner = tokio::spawn(async {
                        tokio::task::yield_now().await;
                        current()
                    });
                    (inner.await.unwrap(), current())
                });
                let blocking = tokio::task::spawn_blocking(current);
                (
                    from_root.await.unwrap(),
                    from_task.await.unwrap(),
                    blocking.await.unwrap(),
                    current(),
                )
            })
        });
        // They carry the empty Context; whoever spawns them keeps his own.
        assert_eq!(seen, (0, (0, 1), 0, 1));
    });
}

#[test]
fn tokio_tasks_make_progress_while_all_workers_are_busy() {
    on_each(|runtime| {
        let stop = Arc::new(AtomicBool::new(false));
        let not_begun = Tally::new();
        let busy: Vec<_> = (0..16)
            .map(|_| {
                let stop = stop.clone();
                let not_begun = not_begun.value();
                runtime.spawn(async move {
                    drop(not_begun);
                    while !stop.load(Ordering::SeqCst) {
                        pause().await;
                    }
                })
            })
            .collect();
        runtime.block_on(not_begun.gone());
        let task = with_context(request(1), || {
            runtime.spawn(async {
                let mut sum = 0;
                for number in 0..20 {
                    let inner = tokio::spawn(async move {
                        tokio::task::yield_now().await;
                        number
                    });
                    let blocking = tokio::task::spawn_blocking(move || number);
                    sum += inner.await.unwrap() + blocking.await.unwrap();
                    assert_eq!(current(), 1);
                }
                sum
            })
        });
        assert_eq!(runtime.block_on(task).unwrap(), 2 * 190);
        stop.store(true, Ordering::SeqCst);
        for task in busy {
            runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn tokio_tasks_use_kamon() {
    on_each(|runtime| {
        let id = runtime.handle().id();
        let seen = runtime.block_on(async move {
            tokio::spawn(async move {
                assert_eq!(Handle::current().id(), id);
                let task = kamon::spawn_in(request(1), async { current() });
                let blocking = with_context(request(2), || kamon::spawn_blocking(current));
                kamon::time::sleep(kamon::time::Duration::from_millis(1)).await;
                (task.await.unwrap(), blocking.await.unwrap(), current())
            })
            .await
            .unwrap()
        });
        assert_eq!(seen, (1, 2, 0));
    });
}

#[test]
fn tokio_tasks_are_aborted_and_panic_by_themselves() {
    on_each(|runtime| {
        let log = Log::new();
        runtime.block_on(async {
            let aborted = tokio::spawn(after(log.on_drop("future"), Steps::never(&log)));
            log.seen("poll", 1).await;
            aborted.abort();
            assert!(aborted.await.unwrap_err().is_cancelled());
            let panicked = tokio::spawn(async { witness::quiet_panic("planned") });
            assert!(panicked.await.unwrap_err().is_panic());
        });
        assert_eq!(log.once("future").request, 0);
    });
}

#[test]
fn tokio_tasks_leave_no_context_behind() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            let task = kamon::spawn_in(tally.request(1), async {
                // Such as a connection pool that outlives the request.
                Some(tokio::spawn(std::future::pending::<()>()))
            });
            let inner = task.await.unwrap().unwrap();
            assert_eq!(tally.alive(), 0);
            for _ in 0..10 {
                let forgets = tokio::spawn(async {
                    std::mem::forget(store_context(request(9)));
                });
                forgets.await.unwrap();
                let next = kamon::spawn_root(async { current() }).await;
                assert_eq!(next.unwrap(), 0);
            }
            inner.abort();
        });
    });
}

#[test]
fn what_a_tokio_task_forgets_ends_when_the_inner_runtime_waits() {
    // One worker, whom nothing calls away from where it waits.
    let runtime = workers(1);
    let (seen, outcome) = std::sync::mpsc::channel();
    drop(runtime.spawn(async move {
        let rings = || tokio::time::sleep(tokio::time::Duration::from_millis(1));
        let (forgot, next) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            // Only who waits for events sees that it is over.
            rings().await;
            std::mem::forget(store_context(request(9)));
            forgot.send(()).unwrap();
        });
        tokio::spawn(async move {
            next.await.unwrap();
            rings().await;
            seen.send(current()).unwrap();
        });
    }));
    assert_eq!(outcome.recv().unwrap(), 0);
}

#[test]
fn a_closure_that_a_tokio_thread_is_given_by_kamon_leaves_nothing() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.max_blocking_threads(1).build().unwrap();
    let seen = runtime.block_on(async {
        let forgets = || std::mem::forget(store_context(request(9)));
        kamon::tokio::spawn_blocking(forgets).await.unwrap();
        tokio::task::spawn_blocking(current).await.unwrap()
    });
    assert_eq!(seen, 0);
}

#[test]
fn tokio_tasks_end_with_the_runtime() {
    for number in [0, 1, 2] {
        let (runtime, log) = (workers(number), Log::new());
        runtime.block_on(async {
            drop(tokio::spawn(after(
                log.on_drop("future"),
                Steps::never(&log),
            )));
            log.seen("poll", 1).await;
        });
        with_context(request(2), || runtime.shut_down());
        assert_eq!(log.once("future").request, 0);
    }
}

// Our Context on tokio's runtimes.

fn on_each_tokio(test: impl Fn(&tokio::runtime::Runtime)) {
    let mut multi_thread = tokio::runtime::Builder::new_multi_thread();
    test(&multi_thread.worker_threads(2).enable_all().build().unwrap());
    let mut current_thread = tokio::runtime::Builder::new_current_thread();
    test(&current_thread.enable_all().build().unwrap());
}

static STAYS: Key<u32> = Key::local("tokio_tasks stays", || 0).not_inherited();

#[test]
fn rule_3_the_bridge_captures_at_the_call() {
    on_each_tokio(|runtime| {
        let seen = runtime.block_on(async {
            let (task, blocking) = {
                let _scope = store_context(request(1).with_key(&STAYS, 7));
                let task = kamon::tokio::spawn(async {
                    let early = (current(), *current_context().get(&STAYS));
                    tokio::task::yield_now().await;
                    let child = kamon::tokio::spawn(async { current() }).await;
                    (early, current(), child.unwrap())
                });
                (task, kamon::tokio::spawn_blocking(current))
            };
            (task.await.unwrap(), blocking.await.unwrap(), current())
        });
        assert_eq!(seen, (((1, 0), 1, 1), 1, 0));
    });
}

#[test]
fn rule_1_the_bridge_drops_in_the_context() {
    on_each_tokio(|runtime| {
        let log = Log::new();
        runtime.block_on(async {
            let task = with_context(request(1), || {
                kamon::tokio::spawn(after(log.on_drop("future"), Steps::never(&log)))
            });
            log.seen("poll", 1).await;
            task.abort();
            let cancelled: tokio::task::JoinError = task.await.unwrap_err();
            assert!(cancelled.is_cancelled());
            let owned = log.on_drop("closure");
            let closure = with_context(request(1), || {
                kamon::tokio::spawn_blocking(move || drop(owned))
            });
            closure.await.unwrap();
        });
        assert_eq!(log.once("future").request, 1);
        assert_eq!(log.once("closure").request, 1);
    });
}

#[test]
fn rule_2_the_bridge_leaves_nothing_behind() {
    on_each_tokio(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            for _ in 0..20 {
                let forgets = with_context(tally.request(1), || {
                    kamon::tokio::spawn(async {
                        std::mem::forget(store_context(request(2)));
                        tokio::task::yield_now().await;
                        let seen = current();
                        std::mem::forget(store_context(request(2)));
                        seen
                    })
                });
                assert_eq!(forgets.await.unwrap(), 1);
                assert_eq!(tokio::spawn(async { current() }).await.unwrap(), 0);
            }
        });
        assert_eq!(tally.alive(), 0);
    });
}

#[test]
fn kamon_works_beside_tokio() {
    on_each_tokio(|runtime| {
        let own = workers(1);
        let handle = own.handle().clone();
        let seen = runtime.block_on(
            async move {
                // On the global runtime, and on one of our own.
                let global = kamon::spawn(async { current() });
                let task = handle.spawn(async { current() });
                kamon::time::sleep(kamon::time::Duration::from_millis(1)).await;
                (global.await.unwrap(), task.await.unwrap())
            }
            .in_context(request(1)),
        );
        assert_eq!(seen, (1, 1));
    });
}

#[test]
fn a_kamon_runtime_can_be_made_and_used_under_tokio() {
    on_each_tokio(|runtime| {
        let seen = runtime.block_on(async {
            let own = workers(1).into_runtime();
            let task = with_context(request(1), || {
                own.spawn(async {
                    tokio::time::sleep(tokio::time::Duration::from_millis(1)).await;
                    current()
                })
            });
            let seen = task.await.unwrap();
            let end = tokio::task::spawn_blocking(move || drop(own));
            end.await.unwrap();
            seen
        });
        assert_eq!(seen, 1);
    });
}

/// Such a runtime waits on the thread that blocks, inside of its own tokio runtime.
#[test]
fn a_current_thread_runtime_that_is_blocked_on_in_a_tokio_task_says_so_and_lives_on() {
    on_each_tokio(|runtime| {
        let own = workers(0).into_runtime();
        let wait = || own.block_on(std::future::pending::<()>());
        let payload = runtime
            .block_on(async { catch_unwind(AssertUnwindSafe(wait)) })
            .unwrap_err();
        let said = payload.downcast_ref::<String>().map(String::as_str);
        let said = said.or(payload.downcast_ref::<&str>().copied());
        assert!(
            said.is_some_and(
                |said| said.starts_with("Cannot start a runtime from within a runtime")
            ),
            "{said:?}"
        );
        // Whoever may block on it still can.
        let task = own.spawn(async { 7 });
        assert_eq!(own.block_on(task).unwrap(), 7);
        own.block_on(kamon::time::sleep(kamon::time::Duration::from_millis(1)));
    });
}

/// Blocks its thread as it is dropped, as who would await something there does, and says which worker that
/// thread is meanwhile.
struct Blocks(Sender<Option<usize>>);

impl Drop for Blocks {
    fn drop(&mut self) {
        self.0.send(block_in_place(worker_index)).unwrap();
    }
}

/// Inside the driver a worker is about to go on with what it has, whatever runs there.
#[test]
fn an_output_that_blocks_may_be_dropped_in_a_tokio_task() {
    let runtime = workers(1);
    let (sender, dropped) = channel();
    let task = runtime.spawn(async { Blocks(sender) });
    runtime.spawn(async move {
        while !task.is_finished() {
            pause().await;
        }
        tokio::spawn(async move {
            // Wherever this runs is inside of the driver.
            drop(task);
        });
    });
    let worker = dropped.recv().unwrap();
    if worker.is_none() {
        // Its end would wait for a worker that is in two places.
        std::mem::forget(runtime);
        panic!("the worker was given away");
    }
}
