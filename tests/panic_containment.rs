//! A panic stays in its task, wherever it comes from: it harms neither the worker, nor the other
//! tasks, nor the Context.

mod witness;

use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context as TaskContext, Poll};

use kamon::task::{JoinError, JoinSet};
use kamon::time::{call_later, Duration};
use kamon::{store_context, with_context, Key};
use witness::{after, current, on_each, pause, quiet_panic, request, Log, OnDrop, Steps, Watched};

/// Asserts that the runtime is as good as before: every worker takes turns, and none has a Context.
fn assert_unharmed(runtime: &Watched) {
    let seen = runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                kamon::spawn_root(async {
                    pause().await;
                    current()
                })
            })
            .collect();
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.await.unwrap());
        }
        seen
    });
    assert_eq!(seen, [0; 8]);
    assert_eq!(current(), 0);
}

#[track_caller]
fn assert_planned(error: JoinError) {
    assert!(error.is_panic() && !error.is_cancelled());
    assert_eq!(error.into_panic().downcast_ref(), Some(&"planned"));
}

fn panics(log: &Log, what: &'static str) -> OnDrop {
    log.on_drop(what).then(|| quiet_panic("planned"))
}

#[test]
fn of_a_future() {
    on_each(|runtime| {
        let log = Log::new();
        let error = runtime.block_on(async {
            let beside = kamon::spawn_in(request(2), Steps::ready_after(&log, 50));
            let panicked = kamon::spawn_in(request(1), async {
                let _open = store_context(request(3));
                std::mem::forget(store_context(request(4)));
                quiet_panic("planned")
            });
            let error = panicked.await.unwrap_err();
            beside.await.unwrap();
            error
        });
        assert_planned(error);
        assert_eq!(log.requests("poll"), [2; 51]);
        assert_unharmed(runtime);
    });
}

#[test]
fn of_a_future_says_what_it_was() {
    on_each(|runtime| {
        let task = runtime.spawn(async { quiet_panic(String::from("a message")) });
        let id = task.id();
        let error = runtime.block_on(task).unwrap_err();
        assert_eq!(error.id(), id);
        let text = format!("task {id} panicked with message \"a message\"");
        assert_eq!(error.to_string(), text);
        let payload = error.try_into_panic().unwrap();
        assert_eq!(payload.downcast_ref(), Some(&String::from("a message")));

        let task = runtime.spawn(async { quiet_panic(7) });
        let error = runtime.block_on(task).unwrap_err();
        assert_eq!(error.to_string(), format!("task {} panicked", error.id()));
    });
}

#[test]
fn of_a_futures_drop() {
    on_each(|runtime| {
        let log = Log::new();
        let _guard = runtime.enter();
        let spawn =
            |future: Steps| kamon::spawn_in(request(1), after(panics(&log, "future"), future));
        // `after` drops it in the last poll.
        let completed = spawn(Steps::ready_after(&log, 3));
        assert_planned(runtime.block_on(completed).unwrap_err());

        // `Holds` has it still when it is ready.
        let ready = kamon::spawn_in(request(1), Holds(Some(5), panics(&log, "future")));
        assert_planned(runtime.block_on(ready).unwrap_err());

        let aborted = spawn(Steps::never(&Log::new()));
        aborted.abort();
        assert_planned(runtime.block_on(aborted).unwrap_err());

        let waiting = spawn(Steps::never(&log));
        let error = runtime.block_on(async {
            log.seen("poll", 5).await;
            waiting.abort();
            waiting.await.unwrap_err()
        });
        assert_planned(error);
        assert_eq!(log.requests("future"), [1; 4]);
        assert_unharmed(runtime);
    });
}

/// Ready at once, and does not let go of what it owns.
struct Holds<T, U>(Option<T>, U);

impl<T, U> Unpin for Holds<T, U> {}

impl<T, U> Future for Holds<T, U> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<T> {
        Poll::Ready(self.0.take().expect("polled once"))
    }
}

#[test]
fn of_a_future_and_then_of_its_drop() {
    on_each(|runtime| {
        struct Twice {
            _last: OnDrop,
        }
        impl Future for Twice {
            type Output = ();
            fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
                quiet_panic("planned")
            }
        }
        let log = Log::new();
        let last = log.on_drop("future").then(|| quiet_panic("the second"));
        let _guard = runtime.enter();
        let task = kamon::spawn_in(request(1), Twice { _last: last });
        assert_planned(runtime.block_on(task).unwrap_err());
        assert_eq!(log.once("future").request, 1);
        assert_unharmed(runtime);
    });
}

#[test]
fn of_an_outputs_drop() {
    on_each(|runtime| {
        let log = Log::new();
        let _guard = runtime.enter();
        let output = panics(&log, "output");
        drop(kamon::spawn_in(request(1), async {
            pause().await;
            output
        }));
        runtime.block_on(log.seen("output", 1));

        let output = panics(&log, "output");
        let finished = kamon::spawn_in(request(1), async { output });
        runtime.block_on(async {
            while !finished.is_finished() {
                kamon::task::yield_now().await;
            }
            drop(finished);
        });

        let mut set = JoinSet::new();
        let output = panics(&log, "output");
        with_context(request(1), || set.spawn(async { output }));
        runtime.block_on(async {
            drop(kamon::spawn(async {}).await);
            drop(set);
        });
        // Aborted or ready before that.
        runtime.block_on(log.seen("output", 3));
        assert_eq!(log.requests("output"), [1; 3]);
        assert_unharmed(runtime);
    });
}

#[test]
fn of_a_payloads_drop() {
    on_each(|runtime| {
        let log = Log::new();
        let _guard = runtime.enter();
        let payload = panics(&log, "payload");
        drop(kamon::spawn_in(request(1), async { quiet_panic(payload) }));
        runtime.block_on(log.seen("payload", 1));

        // One that panics with a payload of the same kind.
        let again = panics(&log, "again");
        let payload = log.on_drop("payload").then(|| quiet_panic(again));
        let task = kamon::spawn_in(request(1), async { quiet_panic(payload) });
        runtime.block_on(async {
            while !task.is_finished() {
                kamon::task::yield_now().await;
            }
            drop(task);
        });
        assert_eq!(log.requests("payload"), [1; 2]);
        assert_unharmed(runtime);
    });
}

#[test]
fn of_a_values_drop() {
    static BOMB: Key<Option<OnDrop>> = Key::local("panics when it is dropped", || None);
    on_each(|runtime| {
        let log = Log::new();
        let _guard = runtime.enter();
        let context = || request(1).with_key(&BOMB, Some(panics(&log, "value")));
        drop(kamon::spawn_in(context(), pause()));
        runtime.block_on(log.seen("value", 1));

        let joined = kamon::spawn_in(context(), async {
            pause().await;
            7
        });
        assert_eq!(
            runtime.block_on(joined).unwrap(),
            7,
            "the output is as good as ever"
        );

        let aborted = kamon::spawn_in(context(), std::future::pending::<()>());
        aborted.abort();
        assert!(runtime.block_on(aborted).unwrap_err().is_cancelled());

        let unclaimed = kamon::spawn_in(context(), async {});
        runtime.block_on(async {
            while !unclaimed.is_finished() {
                kamon::task::yield_now().await;
            }
            drop(unclaimed);
        });

        // These go on when nobody here holds the Context any more.
        let (go_on, wait) = mpsc::channel::<()>();
        let blocking = with_context(context(), || {
            kamon::spawn_blocking(move || wait.recv().map(|()| 7))
        });
        go_on.send(()).unwrap();
        assert_eq!(runtime.block_on(blocking).unwrap(), Ok(7));

        let (go_on, wait) = mpsc::channel::<()>();
        with_context(context(), || {
            drop(call_later(Duration::ZERO, move || wait.recv().unwrap()));
        });
        go_on.send(()).unwrap();
        runtime.block_on(log.seen("value", 6));
        assert_eq!(log.requests("value"), [0; 6], "each after the swap");
        assert_unharmed(runtime);
    });
}

#[test]
fn of_a_timer_callback() {
    on_each(|runtime| {
        let log = Log::new();
        let _guard = runtime.enter();
        let arm = |what: Option<&'static str>| {
            let told = log.clone();
            with_context(request(1), || {
                call_later(Duration::from_millis(1), move || match what {
                    Some(what) => told.note(what),
                    None => quiet_panic("planned"),
                })
            })
        };
        let panicking = [arm(None), arm(None)];
        let good = arm(Some("good"));
        runtime.block_on(async {
            log.seen("good", 1).await;
            while !panicking.iter().all(|timer| timer.is_finished()) {
                kamon::task::yield_now().await;
            }
        });
        assert!(!panicking[0].cancel());
        assert_eq!(log.once("good").request, 1);
        drop(good);

        let owned = panics(&log, "callback");
        let cancelled = with_context(request(1), || {
            call_later(Duration::from_secs(3600), move || drop(owned))
        });
        assert!(cancelled.cancel());
        assert_eq!(log.once("callback").request, 1);
        assert_unharmed(runtime);
    });
}

#[test]
fn of_a_blocking_closure() {
    on_each(|runtime| {
        let log = Log::new();
        with_context(request(1), || {
            let panicked = runtime.spawn_blocking(|| quiet_panic("planned"));
            assert_planned(runtime.block_on(panicked).unwrap_err());
            let output = panics(&log, "output");
            drop(runtime.spawn_blocking(|| output));
        });
        log.wait("output", 1);
        assert_eq!(log.once("output").request, 1);
        let after = runtime.spawn_blocking(current);
        assert_eq!(runtime.block_on(after).unwrap(), 0);
        assert_unharmed(runtime);
    });
}

#[test]
fn of_what_is_blocked_on_comes_through() {
    on_each(|runtime| {
        for _ in 0..3 {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    let _task = kamon::spawn(std::future::pending::<()>());
                    pause().await;
                    quiet_panic("planned")
                })
            }));
            assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"planned"));
            assert_unharmed(runtime);
        }
    });
}

#[test]
fn at_shutdown() {
    for number in [0, 1, 2] {
        let (runtime, log) = (witness::workers(number), Log::new());
        let _guard = runtime.handle().clone();
        for _ in 0..10 {
            let future = after(panics(&log, "future"), Steps::never(&log));
            drop(with_context(request(1), || runtime.spawn(future)));
        }
        runtime.block_on(log.seen("poll", 10));
        runtime.shut_down();
        assert_eq!(log.requests("future"), [1; 10]);
    }
}
