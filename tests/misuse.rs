//! Rules 6, 9 and 10 of the Context: what a Scope across `.await` means where it compiles, what
//! outlives a request, and that misuse is repaired and counted.

mod witness;

use std::sync::PoisonError;

use kamon::context::stats;
use kamon::task::LocalSet;
use kamon::{store_context, with_context};
use witness::locks::{Mutex, MutexGuard};
use witness::{current, on_each, pause, request, workers, Log, Tally};

/// The tests that count repairs, or cause them, take turns: the counts are the process's.
fn repairs() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn rule_6_a_scope_across_await_is_seen_by_its_own_task_only() {
    let _turn = repairs();
    on_each(|runtime| {
        let log = Log::new();
        let stop = tokio::sync::Notify::new();
        let before = stats().scopes_crossed_await;
        runtime.block_on(async {
            let others: Vec<_> = (0..8)
                .map(|_| {
                    let log = log.clone();
                    kamon::spawn(async move {
                        for _ in 0..10 {
                            log.note("other");
                            pause().await;
                        }
                    })
                })
                .collect();
            let beside = kamon::spawn_local({
                let log = log.clone();
                async move {
                    for _ in 0..10 {
                        log.note("other");
                        pause().await;
                    }
                }
            });
            let one = store_context(request(1));
            for _ in 0..5 {
                pause().await;
                assert_eq!(current(), 1);
            }
            let two = store_context(request(2));
            pause().await;
            drop(one);
            pause().await;
            assert_eq!(current(), 2, "the newer one is not touched");
            stop.notify_one();
            stop.notified().await;
            drop(two);
            assert_eq!(current(), 0);
            for other in others {
                other.await.unwrap();
            }
            beside.await.unwrap();
        });
        assert_eq!(log.requests("other"), [0; 90]);
        assert_eq!(
            stats().scopes_crossed_await - before,
            2,
            "each Scope counts once"
        );
        assert_eq!(current(), 0);
    });
}

#[test]
fn rule_6_local_tasks_keep_their_scopes_apart() {
    let _turn = repairs();
    on_each(|runtime| {
        let local = LocalSet::new();
        let tasks: Vec<_> = (1..=8)
            .map(|number| {
                local.spawn_local(async move {
                    let mut scope = store_context(request(number));
                    for step in 1..10 {
                        pause().await;
                        assert_eq!(current(), number * step);
                        let next = store_context(request(number * (step + 1)));
                        drop(std::mem::replace(&mut scope, next));
                    }
                    pause().await;
                    drop(scope);
                    current()
                })
            })
            .collect();
        local.block_on(runtime, async {
            for task in tasks {
                assert_eq!(task.await.unwrap(), 0);
            }
        });
    });
}

#[test]
fn rule_9_what_outlives_the_request_runs_in_empty() {
    on_each(|runtime| {
        let tally = Tally::new();
        runtime.block_on(async {
            let (sender, mut messages) = tokio::sync::mpsc::unbounded_channel::<u32>();
            let (seen, mut seen_by_pool) = tokio::sync::mpsc::unbounded_channel();
            let first = kamon::spawn_in(tally.request(1), async move {
                drop(kamon::spawn_root(async move {
                    while let Some(message) = messages.recv().await {
                        seen.send((message, current())).unwrap();
                    }
                }));
                sender.send(1).unwrap();
                sender
            });
            let sender = first.await.unwrap();
            assert_eq!(seen_by_pool.recv().await, Some((1, 0)));
            assert_eq!(tally.alive(), 0, "the pool holds nothing of the request");
            with_context(request(2), || sender.send(2).unwrap());
            assert_eq!(seen_by_pool.recv().await, Some((2, 0)));
        });
    });
}

#[test]
fn rule_10_misuse_in_a_task_is_repaired_and_counted() {
    let _turn = repairs();
    let runtime = workers(1);
    let before = runtime.metrics().context();
    runtime.block_on(async {
        let task = kamon::spawn_in(request(1), async {
            std::mem::forget(store_context(request(2)));
            std::mem::forget(store_context(request(3)));
            pause().await;
            assert_eq!(current(), 1);
            let one = store_context(request(4));
            let two = store_context(request(5));
            drop((one, two));
            current()
        });
        assert_eq!(task.await.unwrap(), 1);
    });
    let after = runtime.metrics().context();
    assert_eq!(after.scopes_forgotten - before.scopes_forgotten, 2);
    assert_eq!(after.scopes_out_of_order - before.scopes_out_of_order, 1);
    assert_eq!(after.scopes_crossed_await, before.scopes_crossed_await);
}
