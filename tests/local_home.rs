//! `spawn_local` finds the set that is running or entered, or what goes along with `block_on`.

mod at_home;

use std::cell::Cell;
use std::future::pending;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use crate::at_home::{as_user, runtime, settle, user, users, Dropped};
use at_home::locks::Mutex;
use kamon::runtime::Builder;
use kamon::task::{spawn_local, JoinSet, LocalSet};

#[test]
fn directly_inside_block_on_no_set_is_needed() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let this_thread = thread::current().id();
    for runtime in [
        runtime(),
        Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap(),
    ] {
        runtime.block_on(async {
            let shared = Rc::new(Cell::new(0));
            let task = as_user("ada", || {
                let shared = shared.clone();
                kamon::spawn_local(async move {
                    shared.set(1);
                    let nested = spawn_local(async move { (thread::current().id(), user()) });
                    // Woken from elsewhere, too.
                    kamon::spawn_blocking(|| ()).await.unwrap();
                    nested.await.unwrap()
                })
            });
            assert_eq!(task.await.unwrap(), (this_thread, "ada"));
            assert_eq!(shared.get(), 1);

            let guard = Dropped(drops.clone());
            as_user("left over", || {
                kamon::spawn_local(async move {
                    let _guard = guard;
                    pending::<()>().await;
                })
            });
        });
        assert_eq!(*drops.lock().unwrap(), [(this_thread, "left over")]);
        drops.lock().unwrap().clear();
    }
}

#[test]
fn outside_of_a_set_spawn_local_panics() {
    let message = |result: thread::Result<()>| *result.unwrap_err().downcast::<&str>().unwrap();
    let expected =
        "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`";
    assert_eq!(
        message(catch_unwind(|| drop(spawn_local(async {})))),
        expected
    );

    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let error = runtime
        .block_on(runtime.spawn(async { drop(spawn_local(async {})) }))
        .unwrap_err();
    assert_eq!(message(Err(error.into_panic())), expected);
}

#[test]
fn tokios_spawn_local_wants_a_set_inside_block_on_too() {
    let refused = |spawn: fn()| {
        runtime().block_on(async { catch_unwind(spawn).expect_err("there is no set") });
    };
    refused(|| drop(spawn_local(async {})));
    refused(|| {
        JoinSet::new().spawn_local(async {});
    });
    // kamon's own makes do with the thread that blocks.
    runtime().block_on(async { drop(kamon::spawn_local(async {})) });
}

#[test]
fn a_task_that_can_move_has_no_home_on_the_thread_that_blocks() {
    // On a current-thread runtime, tasks run on the thread of `block_on`, but not inside of the
    // future that it blocks on.
    runtime().block_on(async {
        kamon::spawn_local(async {}).await.unwrap();
        let error = kamon::spawn(async { drop(spawn_local(async {})) })
            .await
            .unwrap_err();
        assert!(error.is_panic());
    });
}

#[test]
fn enter_guards_may_go_in_any_order() {
    let homeless = || catch_unwind(|| drop(spawn_local(async {}))).is_err();
    let runtime = runtime();
    let (a, b) = (LocalSet::new(), LocalSet::new());
    let in_a = a.enter();
    let in_b = b.enter();
    drop(in_a);
    let of_b = spawn_local(async { "b" });
    assert_eq!(b.block_on(&runtime, of_b).unwrap(), "b");
    assert!(!homeless());
    drop(in_b);
    assert!(
        homeless(),
        "not even the set whose guard went first is left"
    );
}

#[test]
fn a_guard_is_left_at_the_end_of_its_tasks_turn() {
    let runtime = runtime();
    let other = Rc::new(LocalSet::new());
    let local = LocalSet::new();
    let task = {
        let other = other.clone();
        local.spawn_local(async move {
            let guard = other.enter();
            let of_other = spawn_local(async { "other" });
            kamon::task::yield_now().await;
            let of_local = spawn_local(async { "local" });
            drop(guard);
            (of_other, of_local)
        })
    };
    let (of_other, of_local) = runtime.block_on(local.run_until(async {
        let handles = task.await.unwrap();
        settle().await;
        handles
    }));
    assert!(of_local.is_finished());
    assert!(!of_other.is_finished());
    assert!(catch_unwind(|| drop(spawn_local(async {}))).is_err());
    assert_eq!(other.block_on(&runtime, of_other).unwrap(), "other");
}

#[test]
fn a_guard_that_outlives_its_set_spawns_cancelled_tasks() {
    let drops = Arc::new(Mutex::new(Vec::new()));
    let local = LocalSet::new();
    let guard = local.enter();
    drop(local);
    let inner = Dropped(drops.clone());
    let task = as_user("late", || {
        spawn_local(async move {
            let _inner = inner;
        })
    });
    assert_eq!(users(&drops), ["late"]);
    drop(guard);
    assert!(runtime().block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn a_guard_holds_across_await() {
    runtime().block_on(async {
        let local = LocalSet::new();
        let guard = local.enter();
        settle().await;
        let task = spawn_local(async { 3 });
        drop(guard);
        settle().await;
        assert!(!task.is_finished(), "it is on the set that was entered");
        assert_eq!(local.run_until(task).await.unwrap(), 3);
    });
}

#[test]
fn sets_nest() {
    runtime().block_on(async {
        let outer = LocalSet::new();
        let task = outer.spawn_local(async {
            let inner = LocalSet::new();
            let of_inner = as_user("inner", || inner.spawn_local(async { user() }));
            let seen = inner.run_until(of_inner).await.unwrap();
            // Back home.
            let of_outer = spawn_local(async { 1 });
            drop(inner);
            (seen, of_outer.await.unwrap())
        });
        assert_eq!(outer.run_until(task).await.unwrap(), ("inner", 1));
    });
}
