//! Being inside of a runtime: guards, handles, and where a thread may block.

use std::cell::RefCell;
use std::future::{poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe, RefUnwindSafe, UnwindSafe};
use std::sync::{mpsc, Arc};
use std::task::Poll;
use std::thread;

use kamon::runtime::{Builder, EnterGuard, Handle, LocalRuntime, Runtime, RuntimeMetrics};
use kamon::task::{block_in_place, yield_now, LocalSet};
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
fn guards_nest() {
    assert!(Handle::try_current().unwrap_err().is_missing_context());
    let (outer, inner) = (current_thread(), multi_thread(1));
    let current = || Handle::current().id();
    let first = outer.enter();
    assert_eq!(current(), outer.handle().id());
    let second = inner.enter();
    assert_eq!(current(), inner.handle().id());
    let third = outer.enter();
    assert_eq!(current(), outer.handle().id());
    drop(third);
    assert_eq!(current(), inner.handle().id());
    drop(second);
    assert_eq!(current(), outer.handle().id());
    drop(first);
    assert!(Handle::try_current().is_err());
    let message = panic_of(Handle::current);
    assert!(message.contains("there is no reactor running"), "{message}");
}

#[test]
fn guards_out_of_order_are_told_and_do_no_harm() {
    let (one, two) = (current_thread(), multi_thread(1));
    let (first, second) = (one.enter(), two.enter());
    let message = panic_of(|| drop(first));
    assert!(message.contains("dropped out of order"), "{message}");
    // What is entered is still there, however the runtimes end.
    drop(one);
    assert_eq!(Handle::current().id(), two.handle().id());
    drop(second);
    let task = kamon::spawn(async {});
    assert!(futures_lite::future::block_on(task)
        .unwrap_err()
        .is_cancelled());
    drop(two);
}

#[test]
fn a_guard_may_outlive_its_runtime() {
    on_each(|runtime| {
        let _guard = runtime.enter();
        runtime.shutdown_timeout(Duration::from_secs(1000));
        let task = kamon::spawn(async {});
        let blocking = kamon::spawn_blocking(|| ());
        let (task, blocking) =
            futures_lite::future::block_on(async { (task.await, blocking.await) });
        assert!(task.unwrap_err().is_cancelled());
        assert!(blocking.unwrap_err().is_cancelled());
        assert_eq!(Handle::current().block_on(async { 7 }), 7);
    });
}

#[test]
fn a_forgotten_guard_keeps_what_it_stands_for() {
    thread::spawn(|| {
        let runtime = current_thread();
        std::mem::forget(runtime.enter());
        let id = runtime.handle().id();
        drop(runtime);
        assert_eq!(Handle::current().id(), id);
    })
    .join()
    .unwrap();
}

#[test]
fn blocking_a_thread_that_polls_is_refused() {
    let expected = "Cannot start a runtime from within a runtime. This happens because a function \
                    (like `block_on`) attempted to block the current thread while the thread is \
                    being used to drive asynchronous tasks.";
    on_each(|runtime| {
        let other = current_thread();
        runtime.block_on(async {
            assert!(panic_of(|| other.block_on(async {})).starts_with(expected));
            assert!(panic_of(|| Handle::current().block_on(async {})).starts_with(expected));
            assert!(panic_of(|| kamon::block_on(async {})).starts_with(expected));
        });
        let task = runtime.spawn(async { panic_of(|| kamon::block_on(async {})) });
        assert!(runtime.block_on(task).unwrap().starts_with(expected));
    });
}

#[test]
fn blocking_is_allowed_where_nothing_is_polled() {
    on_each(|runtime| {
        let nested = runtime.block_on(async {
            let blocking = kamon::spawn_blocking(|| {
                let task = kamon::spawn(async { 20 });
                Handle::current().block_on(async { task.await.unwrap() + 1 })
            });
            blocking.await.unwrap()
        });
        assert_eq!(nested, 21);
    });
    let nested = multi_thread(1).block_on(async {
        let task = kamon::spawn(async {
            block_in_place(|| Handle::current().block_on(async { kamon::spawn(async { 7 }).await }))
        });
        task.await.unwrap()
    });
    assert_eq!(nested.unwrap(), 7);
}

#[test]
fn blocking_in_place_leaves_the_other_tasks_running() {
    let runtime = multi_thread(1);
    let (sender, receiver) = mpsc::channel();
    let waiting = runtime.spawn(async move { block_in_place(|| receiver.recv().unwrap()) });
    let sending = runtime.spawn(async move {
        yield_now().await;
        sender.send(5).unwrap();
    });
    let (waiting, sending) = runtime.block_on(async { (waiting.await, sending.await) });
    assert_eq!(waiting.unwrap(), 5);
    sending.unwrap();
}

#[test]
fn blocking_in_place_is_refused_where_nobody_can_go_on() {
    let expected = "can call blocking only when running on the multi-threaded runtime";
    let try_it = || panic_of(|| block_in_place(|| ()));
    let alone = current_thread();
    alone.block_on(async {
        assert_eq!(try_it(), expected);
        let task = kamon::spawn(async move { try_it() });
        assert_eq!(task.await.unwrap(), expected);
    });
    multi_thread(1).block_on(async {
        let local = LocalSet::new();
        local
            .run_until(async {
                assert_eq!(try_it(), expected);
                let task = kamon::spawn_local(async move { try_it() });
                assert_eq!(task.await.unwrap(), expected);
            })
            .await;
    });
    // A runtime that is reached by a handle is there for somebody else, as is its thread.
    assert_eq!(alone.handle().block_on(async { block_in_place(|| 3) }), 3);
    assert_eq!(block_in_place(|| 4), 4);
}

#[test]
fn threads_take_turns_at_a_runtime_without_workers() {
    let runtime = Arc::new(current_thread());
    let (first_is_in, wait_for_first) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let first = thread::spawn({
        let runtime = runtime.clone();
        move || {
            runtime.block_on(async {
                first_is_in.send(()).unwrap();
                released.recv().unwrap();
            });
        }
    });
    wait_for_first.recv().unwrap();
    // This one finds the core taken, and gets it when the first one leaves.
    let second = thread::spawn({
        let runtime = runtime.clone();
        move || {
            runtime.block_on(async {
                let task = kamon::spawn(async {
                    yield_now().await;
                    sleep(Duration::from_millis(1)).await;
                    11
                });
                task.await.unwrap()
            })
        }
    });
    // Futures that need no task are done beside whoever has the core.
    assert_eq!(runtime.block_on(async { 1 }), 1);
    release.send(()).unwrap();
    first.join().unwrap();
    assert_eq!(second.join().unwrap(), 11);
}

#[test]
fn a_runtime_may_be_dropped_by_a_thread_local() {
    thread_local! {
        static RUNTIMES: RefCell<Vec<Runtime>> = const { RefCell::new(Vec::new()) };
    }
    thread::spawn(|| {
        RUNTIMES.with(|runtimes| {
            *runtimes.borrow_mut() = vec![current_thread(), multi_thread(1)];
        });
        // Made later, so that their thread-locals end first.
        current_thread().block_on(async { kamon::spawn(async {}).await.unwrap() });
    })
    .join()
    .unwrap();
}

#[test]
fn shutting_down_at_once_is_allowed_everywhere() {
    on_each(|outer| {
        outer.block_on(async {
            current_thread().shutdown_timeout(Duration::ZERO);
            multi_thread(1).shutdown_timeout(Duration::ZERO);
            current_thread().shutdown_background();
            let message = panic_of(|| current_thread().shutdown_timeout(Duration::from_secs(1)));
            assert!(message.contains("blocking is not allowed"), "{message}");
        });
    });
}

#[test]
fn what_a_runtime_is_made_of_may_go_anywhere() {
    fn goes_anywhere<T: Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    fn is_shared<T: Sync>() {}
    fn is_sent<T: Send + Sync>() {}
    fn is_safe<T: UnwindSafe + RefUnwindSafe>() {}
    goes_anywhere::<Runtime>();
    goes_anywhere::<Handle>();
    is_sent::<Builder>();
    is_sent::<RuntimeMetrics>();
    is_shared::<EnterGuard<'_>>();
    is_safe::<LocalRuntime>();
}

/// A wake that comes before the thread sleeps, and a thread token that the user has used up.
#[test]
fn no_wake_is_lost_to_the_users_own_parking() {
    on_each(|runtime| {
        let mut polls = 0;
        let future = poll_fn(move |cx| {
            polls += 1;
            if polls > 5 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            thread::current().unpark();
            thread::park();
            Poll::Pending
        });
        let future: &mut (dyn Future<Output = ()> + Unpin) = &mut { future };
        runtime.block_on(future);
    });
}

/// What a task may do is its own runtime's business, whichever was entered last.
#[test]
fn block_in_place_asks_the_runtime_of_its_task() {
    let (single, multi) = (current_thread(), multi_thread(1));
    let (of_single, of_multi) = (single.handle().clone(), multi.handle().clone());
    let blocks = || catch_unwind(|| block_in_place(|| 7)).ok();
    let there = multi.spawn(async move {
        let _guard = of_single.enter();
        blocks()
    });
    assert_eq!(futures_lite::future::block_on(there).unwrap(), Some(7));
    let here = single.block_on(async move {
        let task = kamon::spawn(async move {
            let _guard = of_multi.enter();
            blocks()
        });
        task.await.unwrap()
    });
    assert_eq!(here, None, "there is no other thread for its tasks");
}
