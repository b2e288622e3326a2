//! Rule 8 of the Context: the value of a key that is not inherited stays in its task.

#![allow(clippy::async_yields_async)] // The output of a task may well be a handle or a future.

mod witness;

use std::sync::Arc;

use kamon::context::wrap_fn;
use kamon::task::{JoinSet, LocalSet};
use kamon::time::{call_later, Duration};
use kamon::{
    current_context, store_context, with_context, with_context_key, Context, ContextFutureExt as _,
    Key,
};
use witness::{on_each, pause, request, workers, Tally, Value, REQUEST};

static TX: Key<Option<u32>> = Key::local("transaction", || None).not_inherited();
static HELD: Key<Option<Value>> = Key::local("held", || None).not_inherited();

/// The request and the transaction that are current.
fn see() -> (u32, Option<u32>) {
    let context = current_context();
    (*context.get(&REQUEST), *context.get(&TX))
}

fn with_transaction() -> Context {
    request(1).with_key(&TX, Some(7))
}

const HERE: (u32, Option<u32>) = (1, Some(7));
const ELSEWHERE: (u32, Option<u32>) = (1, None);

#[test]
fn rule_8_it_is_there_all_over_its_task() {
    on_each(|runtime| {
        runtime.block_on(async {
            let task = kamon::spawn_in(with_transaction(), async {
                assert_eq!(see(), HERE);
                pause().await;
                assert_eq!(see(), HERE);
                assert_eq!(async { see() }.await, HERE);
                with_context_key(&REQUEST, 2, || assert_eq!(see(), (2, Some(7))));
                assert_eq!(async { see() }.in_context(current_context()).await, HERE);
                {
                    let _scope = store_context(current_context().with_key(&REQUEST, 3));
                    assert_eq!(see(), (3, Some(7)));
                }
                drop(kamon::spawn(async {}).await);
                assert_eq!(see(), HERE);
            });
            task.await.unwrap();
        });
        let seen = with_context(with_transaction(), || {
            runtime.block_on(async {
                pause().await;
                see()
            })
        });
        assert_eq!(seen, HERE, "`block_on` is no other task");
    });
    let seen = workers(1).block_on(kamon::spawn_in(with_transaction(), async {
        kamon::task::block_in_place(see)
    }));
    assert_eq!(seen.unwrap(), HERE);
}

#[test]
fn rule_8_it_does_not_come_along() {
    on_each(|runtime| {
        let (sender, called) = tokio::sync::oneshot::channel();
        let local = LocalSet::new();
        let mut set = JoinSet::new();
        let see_later = || async { see() };
        let (spawned, run, run_often) = {
            let _scope = store_context(with_transaction());
            let _guard = runtime.enter();
            let spawned = [
                kamon::spawn(see_later()),
                runtime.spawn(see_later()),
                runtime.handle().spawn(see_later()),
                kamon::spawn_blocking(see),
                runtime.spawn_blocking(see),
                local.spawn_local(see_later()),
                kamon::spawn_root(see_later().in_current_context()),
            ];
            set.spawn(see_later());
            set.spawn_blocking(see);
            set.spawn_local_on(see_later(), &local);
            drop(call_later(Duration::from_millis(1), || {
                sender.send(see()).unwrap()
            }));
            (spawned, kamon::wrap(see), wrap_fn(see))
        };
        assert_eq!(std::thread::spawn(run).join().unwrap(), ELSEWHERE);
        assert_eq!(run_often(), ELSEWHERE);
        local.block_on(runtime, async {
            for task in spawned {
                assert_eq!(task.await.unwrap(), ELSEWHERE);
            }
            assert_eq!(set.join_all().await, [ELSEWHERE; 3]);
            assert_eq!(called.await, Ok(ELSEWHERE));
        });
    });
}

#[test]
fn rule_8_nor_to_the_children_of_children() {
    on_each(|runtime| {
        runtime.block_on(async {
            let task = kamon::spawn_in(with_transaction(), async {
                let child = kamon::spawn(async {
                    let grandchild = kamon::spawn(async { see() }).await.unwrap();
                    // Its own transaction is its own again.
                    let own =
                        with_context_key(&TX, Some(8), || (see(), kamon::spawn(async { see() })));
                    (grandchild, own.0, own.1.await.unwrap())
                });
                (child.await.unwrap(), see())
            });
            let expected = ((ELSEWHERE, (1, Some(8)), ELSEWHERE), HERE);
            assert_eq!(task.await.unwrap(), expected);
        });
    });
}

#[test]
fn rule_8_whoever_names_the_context_takes_it_along() {
    on_each(|runtime| {
        runtime.block_on(async {
            let task = kamon::spawn_in(with_transaction(), async {
                kamon::spawn_in(current_context(), async { see() }).await
            });
            assert_eq!(task.await.unwrap().unwrap(), HERE);
        });
    });
}

#[test]
fn rule_8_a_child_does_not_keep_it_alive() {
    on_each(|runtime| {
        let transactions = Tally::new();
        let context = request(1)
            .with_key(&HELD, Some(transactions.value()))
            .with_key(&TX, Some(7));
        runtime.block_on(async {
            let (finish, finished) = tokio::sync::oneshot::channel::<()>();
            let parent = kamon::spawn_in(context, async {
                Some(kamon::spawn(async {
                    finished.await.unwrap();
                    see()
                }))
            });
            let child = parent.await.unwrap().unwrap();
            assert_eq!(transactions.alive(), 0, "it ended with its task");
            finish.send(()).unwrap();
            assert_eq!(child.await.unwrap(), ELSEWHERE);
        });
    });
}

#[test]
fn rule_8_nothing_else_is_lost_on_the_way() {
    static OTHERS: [Key<u32>; 3] = [
        Key::local("not_inherited first", || 0),
        Key::broadcast("not_inherited second", || 0),
        Key::local("not_inherited third", || 0),
    ];
    let shared = Arc::new(());
    static SHARED: Key<Option<Arc<()>>> = Key::local("not_inherited shared", || None);
    let context = Context::empty()
        .with_key(&OTHERS[0], 1)
        .with_key(&TX, Some(7))
        .with_key(&OTHERS[1], 2)
        .with_key(&SHARED, Some(shared.clone()))
        .with_key(&OTHERS[2], 3);
    let runtime = workers(1);
    let seen = with_context(context, || {
        runtime.spawn(async {
            let context = current_context();
            assert!(!context.contains(&TX));
            let same = context.get(&SHARED).clone();
            (OTHERS.each_ref().map(|key| *context.get(key)), same)
        })
    });
    let (others, same) = runtime.block_on(seen).unwrap();
    assert_eq!(others, [1, 2, 3]);
    assert!(Arc::ptr_eq(&same.unwrap(), &shared));
    assert_eq!(Arc::strong_count(&shared), 1, "and nothing is kept");
}
