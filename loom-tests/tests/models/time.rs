//! Timers fire once or not at all, in the Context they were armed in, and no deadline is slept through.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc as StdArc;

use kamon_loomed::__model::Promise;
use kamon_loomed::time::{call_later, sleep, Duration};
use kamon_loomed::with_context;
use loom::sync::Arc;
use loom::thread;

use crate::model::house::workers;
use crate::model::witness::{expect, expect_here, request, Drops};
use crate::model::{check, check_bounded};

const SOON: Duration = Duration::from_millis(3);

/// The worker sleeps when the deadline is armed, or is about to: it must look again.
#[test]
fn a_deadline_is_not_slept_through() {
    check("a_deadline_is_not_slept_through", || {
        let runtime = workers(1);
        with_context(request(1), || {
            runtime.block_on(async {
                sleep(SOON).await;
                expect_here(1, "what comes after a sleep");
            });
        });
    });
}

/// The callback runs, or the cancel prevents it; never both, never neither.
#[test]
fn a_callback_racing_its_cancel() {
    check("a_callback_racing_its_cancel", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let runs = StdArc::new(AtomicUsize::new(0));
        let (probe, ran) = (drops.probe(1, "a callback"), runs.clone());
        let cancelled = {
            let _entered = runtime.enter();
            let timer = with_context(request(1), || {
                call_later(SOON, move || {
                    expect_here(1, "a callback");
                    ran.fetch_add(1, Ordering::Relaxed);
                    drop(probe);
                })
            });
            timer.cancel()
        };
        if cancelled {
            expect(
                drops.count() == 1,
                "a cancelled callback is dropped by the cancel",
            );
        }
        drop(runtime);
        expect(drops.count() == 1, "the callback is dropped once");
        let ran = runs.load(Ordering::Relaxed) == 1;
        expect(!(ran && cancelled), "a cancelled callback does not run");
    });
}

/// A task sleeps while its runtime ends.
#[test]
fn shutdown_racing_a_timer() {
    check("shutdown_racing_a_timer", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let probe = drops.probe(1, "a future");
        let task = async move {
            sleep(SOON).await;
            expect_here(1, "what comes after a sleep");
            drop(probe);
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        drop(runtime);
        expect(drops.count() == 1, "the future is dropped once");
    });
}

/// A cancelled callback leaves its place to another one, which its handle must not name.
#[test]
fn a_handle_names_one_callback_only() {
    check("a_handle_names_one_callback_only", || {
        let runtime = workers(1);
        let _entered = runtime.enter();
        let runs = StdArc::new(AtomicUsize::new(0));
        let first = call_later(SOON, || ());
        let cancelled = first.cancel();
        let ran = runs.clone();
        let second = call_later(SOON, move || {
            ran.fetch_add(1, Ordering::Relaxed);
        });
        expect(
            !first.cancel(),
            "a callback that is over cannot be cancelled",
        );
        let prevented = second.cancel();
        drop(_entered);
        drop(runtime);
        let ran = runs.load(Ordering::Relaxed) == 1;
        expect(!(prevented && ran), "a cancelled callback does not run");
        let _ = cancelled;
    });
}

/// Either the thread that parks sees the new deadline, or the one that arms it sees that no such
/// early waking up is promised any more.
#[test]
fn a_promise_sees_the_deadline_or_is_seen() {
    check_bounded("a_promise_sees_the_deadline_or_is_seen", 3, || {
        let promise = Arc::new(Promise::made_once(5));
        let of_other = promise.clone();
        let other = thread::spawn(move || of_other.arm(7));
        let in_time = promise.promise();
        other.join().unwrap();
        expect(
            in_time || promise.was_called(),
            "nobody wakes up for the deadline",
        );
    });
}
