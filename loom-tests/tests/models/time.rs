//! Timers fire once or not at all, in the Context they were armed in, and no deadline is slept through.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc as StdArc;

use kamon_loomed::time::{call_later, sleep, Duration};
use kamon_loomed::with_context;

use crate::model::check;
use crate::model::house::workers;
use crate::model::witness::{expect, expect_here, request, Drops};

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
