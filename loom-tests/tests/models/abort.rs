//! An aborted task drops its future once, in its own Context, and its handle always resolves.

use std::future::pending;

use kamon_loomed::with_context;

use crate::model::check;
use crate::model::house::{beside, workers, Event, Gate};
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

/// Nobody but the abort ever wakes it: the poll that this causes must know why.
#[test]
fn abort_of_a_task_that_waits() {
    check("abort_of_a_task_that_waits", || {
        let runtime = workers(1);
        let (drops, gate) = (Drops::default(), Gate::new());
        let (probe, opened) = (drops.probe(1, "a future"), gate.clone());
        let task = async move {
            let _probe = probe;
            opened.open();
            pending::<()>().await;
        };
        let task = with_context(request(1), || runtime.spawn(task));
        gate.pass(1);
        task.abort();
        let outcome = runtime.block_on(task);
        expect(
            outcome.is_err_and(|error| error.is_cancelled()),
            "it was cancelled",
        );
        expect(drops.count() == 1, "the future is dropped once");
    });
}
