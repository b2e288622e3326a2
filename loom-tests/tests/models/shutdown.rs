//! The end of a runtime drops every future once, in its own Context, whoever comes in between.

use std::future::pending;

use kamon_loomed::with_context;

use crate::model::check;
use crate::model::house::{beside, workers, Event};
use crate::model::witness::{expect, expect_here, request, Drops};

/// Another thread spawns while the runtime ends.
#[test]
fn shutdown_racing_a_spawn() {
    check("shutdown_racing_a_spawn", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let (handle, probe) = (runtime.handle().clone(), drops.probe(1, "a future"));
        let thread = beside(2001, move || {
            let task = async move {
                expect_here(1, "a poll");
                drop(probe);
            };
            with_context(request(1), || drop(handle.spawn(task)));
        });
        drop(runtime);
        thread.join().unwrap();
        expect(drops.count() == 1, "the future is dropped once");
    });
}

/// A task waits, and another thread wakes it while the runtime ends.
#[test]
fn shutdown_racing_a_wake() {
    check("shutdown_racing_a_wake", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let event = Event::new();
        let (awaited, probe) = (event.clone(), drops.probe(1, "a future"));
        let task = async move {
            awaited.wait().await;
            expect_here(1, "a poll");
            drop(probe);
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        let thread = beside(2001, move || event.set());
        drop(runtime);
        thread.join().unwrap();
        expect(drops.count() == 1, "the future is dropped once");
    });
}

/// A task begins to wait, for good, while its runtime ends. Its handle keeps its memory, so only
/// the shutdown can drop its future.
#[test]
fn shutdown_racing_the_first_wait() {
    check("shutdown_racing_the_first_wait", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let probe = drops.probe(1, "a future");
        let task = async move {
            let _probe = probe;
            pending::<()>().await;
        };
        let task = with_context(request(1), || runtime.spawn(task));
        drop(runtime);
        expect(
            drops.count() == 1,
            "the future is dropped once, before its runtime is gone",
        );
        drop(task);
    });
}
