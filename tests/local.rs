//! Local tasks share a thread, and each has its own Context and its own Scopes; the set is woken
//! by whatever wakes them.

mod at_home;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, Future};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use crate::at_home::{as_user, runtime, settle, user, users, Dropped, USER};
use at_home::locks::Mutex;
use kamon::runtime::Builder;
use kamon::task::{spawn_local, LocalSet};
use kamon::Context;
use tokio::sync::oneshot;

#[test]
fn tasks_share_their_thread_and_inherit_their_context() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let task = as_user("ada", || {
            let seen = seen.clone();
            local.spawn_local(async move {
                seen.borrow_mut().push(user());
                let nested = as_user("bob", || {
                    let seen = seen.clone();
                    spawn_local(async move {
                        kamon::task::yield_now().await;
                        seen.borrow_mut().push(user());
                        kamon::spawn(async { user() }).await.unwrap()
                    })
                });
                let of_runtime = nested.await.unwrap();
                seen.borrow_mut().push(user());
                of_runtime
            })
        });
        assert_eq!(local.run_until(task).await.unwrap(), "bob");
        assert_eq!(*seen.borrow(), ["ada", "bob", "ada"]);
        assert_eq!(user(), "nobody");
    });
}

#[test]
fn the_set_is_ready_when_all_its_tasks_are() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let ended = Rc::new(Cell::new(0));
        let (sender, receiver) = oneshot::channel::<()>();
        for _ in 0..200 {
            let ended = ended.clone();
            local.spawn_local(async move {
                kamon::task::yield_now().await;
                let inner = ended.clone();
                spawn_local(async move { inner.set(inner.get() + 1) });
                ended.set(ended.get() + 1);
            });
        }
        local.spawn_local(async move { receiver.await.unwrap() });
        kamon::spawn(async move {
            settle().await;
            sender.send(()).unwrap();
        });
        local.await;
        assert_eq!(ended.get(), 400);
        LocalSet::default().await;
    });
}

#[test]
fn a_wake_from_another_thread_wakes_the_set() {
    for runtime in [
        runtime(),
        Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap(),
    ] {
        let local = LocalSet::new();
        let (sender, receiver) = oneshot::channel::<u32>();
        let (ready, is_ready) = std::sync::mpsc::channel::<()>();
        let other = thread::spawn(move || {
            is_ready.recv().unwrap();
            sender.send(1).unwrap();
        });
        let task = local.spawn_local(async move {
            ready.send(()).unwrap();
            receiver.await.unwrap()
        });
        assert_eq!(local.block_on(&runtime, task).unwrap(), 1);
        other.join().unwrap();
    }
}

#[test]
fn spawning_and_waking_from_outside_of_the_set_wakes_it_too() {
    // Both halves are polled by the same `block_on`; the set only when it is woken.
    runtime().block_on(async {
        let local = LocalSet::new();
        let mut polled = 0;
        let mut running = pin!(local.run_until(pending::<()>()));
        let mut other = pin!(async {
            settle().await;
            local.spawn_local(async { 5 }).await.unwrap()
        });
        let output = poll_fn(|cx| {
            polled += 1;
            assert!(running.as_mut().poll(cx).is_pending());
            other.as_mut().poll(cx)
        })
        .await;
        assert_eq!(output, 5);
        assert!(polled < 50, "but not all the time");
    });
}

#[test]
fn a_busy_task_does_not_starve_the_others() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let turns = Rc::new(Cell::new(0_usize));
        let of_task = turns.clone();
        local.spawn_local(async move {
            loop {
                of_task.set(of_task.get() + 1);
                kamon::task::yield_now().await;
            }
        });
        let mut polls = 0;
        let mut future = pin!(local.run_until(async {
            // A task of the runtime gets its turn, and so does this future.
            kamon::spawn(async {}).await.unwrap();
            settle().await;
        }));
        poll_fn(|cx| {
            let before = turns.get();
            let polled = future.as_mut().poll(cx);
            assert!(turns.get() - before <= 61);
            polls += 1;
            polled
        })
        .await;
        assert!(polls > 10);
        assert!(turns.get() > 61, "the task ran as well");
    });
}

#[test]
fn scopes_wait_for_the_next_poll_of_their_task() {
    let context = |name| Context::empty().with_key(&USER, name);
    let crossed = || kamon::context::stats().scopes_crossed_await;
    let before = crossed();
    runtime().block_on(async {
        let local = LocalSet::new();
        let _outer = kamon::store_context(context("outer"));
        let tasks: Vec<_> = ["ada", "bob", "eve"]
            .into_iter()
            .map(|name| {
                local.spawn_local(async move {
                    assert_eq!(user(), "outer");
                    let first = kamon::store_context(context(name));
                    for _ in 0..5 {
                        kamon::task::yield_now().await;
                        assert_eq!(user(), name);
                    }
                    let second = kamon::store_context(context("inner"));
                    kamon::task::yield_now().await;
                    assert_eq!(user(), "inner");
                    drop(second);
                    assert_eq!(user(), name);
                    kamon::task::yield_now().await;
                    drop(first);
                    assert_eq!(user(), "outer");
                })
            })
            .collect();
        local
            .run_until(async {
                for task in tasks {
                    task.await.unwrap();
                    assert_eq!(user(), "outer", "the Scope of this future");
                }
            })
            .await;
    });
    assert_eq!(user(), "nobody");
    assert!(crossed() > before, "and it is counted");
}

#[test]
fn a_scope_ends_with_its_task() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    runtime().block_on(async {
        let local = LocalSet::new();
        let guard = Dropped(drops.clone());
        as_user("ada", || {
            local.spawn_local(async move {
                let _scope =
                    kamon::store_context(kamon::current_context().with_key(&USER, "in scope"));
                // Dropped before the Scope closes.
                let _guard = guard;
                pending::<()>().await;
            })
        });
        let forgetful = local.spawn_local(async {
            let scope = kamon::store_context(Context::empty().with_key(&USER, "forgotten"));
            std::mem::forget(scope);
            kamon::task::yield_now().await;
            user()
        });
        let seen = local.run_until(async {
            let seen = forgetful.await.unwrap();
            (seen, user())
        });
        assert_eq!(seen.await, ("forgotten", "nobody"));
        drop(local);
        assert_eq!(user(), "nobody");
    });
    assert_eq!(users(&drops), ["in scope"]);
    assert_eq!(user(), "nobody");
}

#[test]
fn panics_stay_in_their_task() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let bad = as_user("ada", || local.spawn_local(async { panic!("on purpose") }));
        let good = local.spawn_local(async {
            kamon::task::yield_now().await;
            user()
        });
        local
            .run_until(async {
                assert!(bad.await.unwrap_err().is_panic());
                assert_eq!(good.await.unwrap(), "nobody");
            })
            .await;
    });
}

#[test]
fn run_until_works_inside_the_sets_own_tasks() {
    let local = Rc::new(LocalSet::new());
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let task = {
        let inner = local.clone();
        local.spawn_local(async move {
            let other = spawn_local(async { kamon::spawn_blocking(|| 1).await.unwrap() });
            let one = inner.run_until(other).await.unwrap();
            drop(inner);
            one + kamon::spawn_blocking(|| 1).await.unwrap()
        })
    };
    assert_eq!(runtime.block_on(local.run_until(task)).unwrap(), 2);
}

#[test]
fn any_executor_can_run_a_set() {
    let local = LocalSet::new();
    let task = as_user("ada", || {
        local.spawn_local(async {
            kamon::task::yield_now().await;
            user()
        })
    });
    let seen = futures_lite::future::block_on(local.run_until(task));
    assert_eq!(seen.unwrap(), "ada");
    let tokio = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    tokio.block_on(async {
        let local = LocalSet::new();
        let (sender, receiver) = oneshot::channel();
        local.spawn_local(async move { sender.send(Rc::new(1)).unwrap() });
        assert_eq!(*local.run_until(receiver).await.unwrap(), 1);
    });
}
