//! `LocalRuntime`: local tasks everywhere inside of a runtime, as long as it is there.

use std::cell::{Cell, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
use std::thread;

use kamon::runtime::{Builder, Handle, LocalOptions, LocalRuntime, RuntimeFlavor};
use kamon::task::{spawn_local, yield_now, LocalSet};
use kamon::time::{sleep, Duration};
use kamon::{current_context, with_context, Context, Key};

static USER: Key<&'static str> = Key::local("user", || "nobody");

fn user() -> &'static str {
    #[allow(clippy::explicit_auto_deref)] // Without it there is no telling which type is meant.
    *current_context().get(&USER)
}

fn as_user<R>(name: &'static str, f: impl FnOnce() -> R) -> R {
    with_context(Context::empty().with_key(&USER, name), f)
}

fn runtime() -> LocalRuntime {
    Builder::new_current_thread()
        .build_local(LocalOptions::default())
        .unwrap()
}

fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let payload = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => panic!("it should have panicked"),
        Err(payload) => payload,
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn tasks_go_on_from_one_block_on_to_the_next() {
    let runtime = LocalRuntime::new().unwrap();
    let turns = Rc::new(Cell::new(0));
    let counted = turns.clone();
    let task = runtime.spawn_local(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    assert_eq!(turns.get(), 0);
    for _ in 0..3 {
        let before = turns.get();
        runtime.block_on(async {
            while turns.get() < before + 10 {
                yield_now().await;
            }
        });
    }
    task.abort();
    assert!(runtime.block_on(task).unwrap_err().is_cancelled());
}

#[test]
fn every_place_inside_has_a_home_for_local_tasks() {
    let runtime = runtime();
    let here = thread::current().id();
    let spawn = || spawn_local(async { thread::current().id() });
    // Between the guard's begin and end.
    let entered = {
        let _guard = runtime.enter();
        spawn()
    };
    // Through a handle, too.
    let by_handle = {
        let _guard = runtime.handle().enter();
        spawn()
    };
    // In the future, in a local task, and in one that might have moved.
    let (in_future, in_local, in_task) = runtime.block_on(async {
        assert_eq!(
            Handle::current().runtime_flavor(),
            RuntimeFlavor::CurrentThread
        );
        let in_local = spawn_local(async move { spawn().await.unwrap() });
        let in_task = kamon::spawn(async move {
            spawn();
            thread::current().id()
        });
        (spawn().await, in_local.await, in_task.await)
    });
    let threads = [
        runtime.block_on(entered),
        runtime.block_on(by_handle),
        in_future,
        in_local,
        in_task,
    ];
    for thread in threads {
        assert_eq!(thread.unwrap(), here);
    }
}

#[test]
fn every_block_on_of_its_thread_runs_its_local_tasks() {
    let woken = || async {
        let task = kamon::spawn_local(async {
            kamon::spawn_blocking(|| ()).await.unwrap();
            yield_now().await;
            1
        });
        task.await.unwrap()
    };
    let runtime = runtime();
    let before = runtime.spawn_local(async { 2 });
    assert_eq!(runtime.handle().block_on(woken()), 1);
    assert!(before.is_finished());
    let _guard = runtime.enter();
    assert_eq!(kamon::block_on(woken()), 1);
}

#[test]
fn a_set_of_ones_own_comes_first() {
    let runtime = runtime();
    let local = LocalSet::new();
    runtime.block_on(async {
        let guard = local.enter();
        let task = spawn_local(async { 1 });
        drop(guard);
        for _ in 0..5 {
            yield_now().await;
        }
        assert!(!task.is_finished(), "its set is not running");
        assert_eq!(local.run_until(task).await.unwrap(), 1);
    });
}

#[test]
fn other_threads_may_use_the_handle_and_not_the_local_tasks() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let other = thread::spawn(move || {
        let _guard = handle.enter();
        (
            panic_of(|| spawn_local(async {})),
            kamon::spawn(async { 5 }),
        )
    });
    let (message, task) = other.join().unwrap();
    assert_eq!(
        message,
        "Local tasks can only be spawned on a LocalRuntime from the thread the runtime was \
         created on"
    );
    assert_eq!(runtime.block_on(task).unwrap(), 5);
}

#[test]
fn local_tasks_carry_their_context_and_wake_from_anywhere() {
    let runtime = runtime();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = ["ada", "grace"]
        .map(|name| {
            let seen = seen.clone();
            as_user(name, || {
                runtime.spawn_local(async move {
                    seen.borrow_mut().push(user());
                    sleep(Duration::from_millis(1)).await;
                    seen.borrow_mut().push(user());
                    let blocking = kamon::spawn_blocking(user).await.unwrap();
                    seen.borrow_mut().push(blocking);
                })
            })
        })
        .into();
    as_user("alan", || {
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(user(), "alan");
        });
    });
    let mut seen = seen.take();
    seen.sort_unstable();
    assert_eq!(seen, ["ada", "ada", "ada", "grace", "grace", "grace"]);
    assert_eq!(user(), "nobody");
}

/// Notes, when it is dropped, who is current and which runtime.
struct Notes(Rc<RefCell<Vec<(&'static str, bool)>>>);

impl Drop for Notes {
    fn drop(&mut self) {
        let inside = Handle::try_current().is_ok();
        self.0.borrow_mut().push((user(), inside));
    }
}

#[test]
fn every_end_drops_the_local_tasks_in_their_context() {
    let ends: [fn(LocalRuntime); 3] = [
        |runtime| drop(runtime),
        |runtime| runtime.shutdown_timeout(Duration::from_secs(1000)),
        |runtime| runtime.shutdown_background(),
    ];
    for end in ends {
        let runtime = runtime();
        let notes = Rc::new(RefCell::new(Vec::new()));
        for (name, polled) in [("ada", true), ("grace", false)] {
            let owned = Notes(notes.clone());
            let task = as_user(name, || {
                runtime.spawn_local(async move {
                    let _owned = owned;
                    std::future::pending::<()>().await;
                })
            });
            if polled {
                runtime.block_on(yield_now());
            }
            drop(task);
        }
        end(runtime);
        let mut notes = notes.take();
        notes.sort_unstable();
        assert_eq!(notes, [("ada", true), ("grace", true)]);
    }
}

#[test]
fn what_comes_too_late_is_cancelled() {
    let runtime = runtime();
    let _guard = runtime.enter();
    drop(runtime);
    let local = spawn_local(async { 1 });
    let other = kamon::spawn(async { 1 });
    let (local, other) = futures_lite::future::block_on(async { (local.await, other.await) });
    assert!(local.unwrap_err().is_cancelled());
    assert!(other.unwrap_err().is_cancelled());
}

#[test]
fn it_has_one_thread_and_no_more() {
    let refused = panic_of(|| Builder::new_multi_thread().build_local(LocalOptions::default()));
    assert!(refused.contains("multi_thread"), "{refused}");
    let runtime = runtime();
    assert_eq!(runtime.metrics().num_workers(), 1);
    let nested = panic_of(|| runtime.block_on(async { runtime.block_on(async {}) }));
    assert!(nested.contains("from within a runtime"), "{nested}");
    let blocking = runtime.spawn_blocking(|| thread::current().id());
    assert_ne!(runtime.block_on(blocking).unwrap(), thread::current().id());
}
