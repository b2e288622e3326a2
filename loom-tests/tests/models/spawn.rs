//! A task is polled in its own Context, wherever it runs, and leaves nothing behind there.

use kamon_loomed::{spawn, with_context};

use crate::model::check;
use crate::model::house::{workers, Gate};
use crate::model::witness::{expect, expect_here, request, Drops};

/// Two tasks, spawned from outside: each worker may get none, one or both, and the end of the
/// runtime may come before, between or after them.
#[test]
fn two_tasks_on_two_workers() {
    check("two_tasks_on_two_workers", || {
        let runtime = workers(2);
        let drops = Drops::default();
        for number in [1, 2] {
            let probe = drops.probe(number, "a future");
            let task = async move {
                expect_here(number, "a poll");
                drop(probe);
            };
            with_context(request(number), || drop(runtime.spawn(task)));
        }
        drop(runtime);
        expect(drops.count() == 2, "each future is dropped once");
    });
}

/// A task spawns two more: the first goes to the LIFO slot and is pushed out of it by the second,
/// and the other worker steals what it finds.
#[test]
fn children_are_stolen_with_their_contexts() {
    check("children_are_stolen_with_their_contexts", || {
        let runtime = workers(2);
        let gate = Gate::new();
        let opened = gate.clone();
        let parent = async move {
            for number in [1, 2] {
                let gate = opened.clone();
                let child = async move {
                    expect_here(number, "a poll");
                    gate.open();
                };
                drop(with_context(request(number), || spawn(child)));
                expect_here(9, "what comes after a spawn");
            }
        };
        with_context(request(9), || drop(runtime.spawn(parent)));
        gate.pass(2);
    });
}

/// What a task spawns has the Context that was current at the call, not the one at the first poll.
#[test]
fn captured_at_the_call() {
    check("captured_at_the_call", || {
        let runtime = workers(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let task = with_context(request(1), || {
            runtime.spawn(async move {
                expect_here(1, "a poll");
                opened.open();
            })
        });
        // Whatever becomes of the spawner's Context, or of its handle.
        drop(task);
        with_context(request(2), || gate.pass(1));
    });
}
