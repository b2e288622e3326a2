//! A panic goes no further than its task, and takes nothing of the task with it.

use std::future::{pending, poll_fn};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::task::Poll;

use kamon_loomed::{store_context, with_context};

use crate::model::check;
use crate::model::house::{workers, Gate};
use crate::model::witness::{expect, expect_here, request, Drops};

/// What a model panics with: no message, so that a thousand executions are silent.
struct Boom;

/// A task opens a Scope, forgets it and panics; another one runs on the same worker or the other.
#[test]
fn a_panic_with_a_forgotten_scope() {
    check("a_panic_with_a_forgotten_scope", || {
        let runtime = workers(2);
        let (drops, gate) = (Drops::default(), Gate::new());
        let probe = drops.probe(1, "a future that panics");
        let task = poll_fn(move |_| -> Poll<()> {
            // The probe is part of the future, which is dropped when the Scope is gone.
            let _part_of_it = &probe;
            std::mem::forget(store_context(request(7)));
            expect_here(7, "what is inside of a Scope");
            resume_unwind(Box::new(Boom))
        });
        with_context(request(1), || drop(runtime.spawn(task)));
        let opened = gate.clone();
        let other = async move {
            expect_here(2, "a poll");
            opened.open();
        };
        with_context(request(2), || drop(runtime.spawn(other)));
        gate.pass(1);
        drop(runtime);
        expect(drops.count() == 1, "the future is dropped once");
    });
}

/// A panic while the future is dropped, by an abort: contained as well, and its payload is dropped
/// in the task's Context.
#[test]
fn a_panic_in_the_drop_of_a_future() {
    check("a_panic_in_the_drop_of_a_future", || {
        struct Fragile(Drops);
        impl Drop for Fragile {
            fn drop(&mut self) {
                expect_here(1, "a drop that panics");
                resume_unwind(Box::new(self.0.probe(1, "a payload")));
            }
        }

        let runtime = workers(1);
        let drops = Drops::default();
        let fragile = Fragile(drops.clone());
        let task = async move {
            let _fragile = fragile;
            pending::<()>().await;
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        drop(runtime);
        expect(drops.count() == 1, "the payload is dropped once");
    });
}

/// A panic leaves a closure that has a Context of its own, and is caught inside of the task.
#[test]
fn a_panic_through_a_closure() {
    check("a_panic_through_a_closure", || {
        let runtime = workers(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let task = async move {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                with_context(request(2), || {
                    expect_here(2, "a closure");
                    resume_unwind(Box::new(Boom))
                })
            }));
            expect(caught.is_err(), "the panic is caught");
            expect_here(1, "what comes after a panic");
            opened.open();
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        gate.pass(1);
    });
}
