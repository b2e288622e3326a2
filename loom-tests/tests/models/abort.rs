//! An aborted task drops its future once, in its own Context, and its handle always resolves.

use kamon_loomed::with_context;

use crate::model::check;
use crate::model::house::{beside, workers, Event};
use crate::model::witness::{expect, expect_here, request, Drops};

/// The abort comes before, during or after the only poll.
#[test]
fn abort_racing_the_run() {
    check("abort_racing_the_run", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let probe = drops.probe(1, "a future");
        let task = async move {
            expect_here(1, "a poll");
            drop(probe);
        };
        let task = with_context(request(1), || runtime.spawn(task));
        task.abort();
        let outcome = runtime.block_on(task);
        expect(
            drops.count() == 1,
            "the future is dropped before the handle resolves",
        );
        expect(
            outcome.map_or_else(|error| error.is_cancelled(), |()| true),
            "it ran, or it was cancelled",
        );
    });
}

/// The task waits; a third thread wakes it while this one aborts it.
#[test]
fn abort_racing_a_wake() {
    check("abort_racing_a_wake", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let event = Event::new();
        let (awaited, probe) = (event.clone(), drops.probe(1, "a future"));
        let task = async move {
            awaited.wait().await;
            expect_here(1, "a poll");
            drop(probe);
        };
        let task = with_context(request(1), || runtime.spawn(task));
        let thread = beside(2001, move || event.set());
        task.abort();
        let outcome = runtime.block_on(task);
        expect(
            drops.count() == 1,
            "the future is dropped before the handle resolves",
        );
        expect(
            outcome.map_or_else(|error| error.is_cancelled(), |()| true),
            "cancelled or done",
        );
        thread.join().unwrap();
    });
}
