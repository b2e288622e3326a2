//! Threads in `block_on` are guests among the workers: nothing that they leave behind is lost, and
//! nothing that they run stays with them.

use kamon_loomed::{spawn, with_context};

use crate::model::check;
use crate::model::house::{beside, current_thread, spawn_two, workers, Gate};
use crate::model::witness::{expect, expect_here, request};

/// A guest spawns a task and then blocks its thread until the task has run: the worker finds it,
/// although nobody was called for it.
#[test]
fn a_guest_that_blocks_its_thread() {
    check("a_guest_that_blocks_its_thread", || {
        let runtime = workers(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let main = async move {
            let task = async move {
                expect_here(2, "a poll");
                opened.open();
            };
            drop(with_context(request(2), || spawn(task)));
            gate.pass(1);
            expect_here(1, "what comes after the wait");
        };
        with_context(request(1), || runtime.block_on(main));
    });
}

/// Two threads block on the runtime, and there is a place for one guest only.
#[test]
fn two_guests_and_one_place() {
    check("two_guests_and_one_place", || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        let visit = |number: u32| async move {
            let task = async move { expect_here(number + 10, "a poll") };
            let task = with_context(request(number + 10), || spawn(task));
            expect(task.await.is_ok(), "the task ends well");
            expect_here(number, "what comes after the join");
        };
        let other = beside(2001, move || {
            with_context(request(2), || handle.block_on(visit(2)))
        });
        with_context(request(1), || runtime.block_on(visit(1)));
        other.join().unwrap();
    });
}

/// Two threads block on a runtime without workers: one of them runs the tasks of both, and when it
/// leaves the other takes over.
#[test]
fn the_core_changes_hands() {
    check("the_core_changes_hands", || {
        let runtime = current_thread();
        let handle = runtime.handle().clone();
        let visit = |number: u32| async move {
            let task = async move { expect_here(number + 10, "a poll") };
            let task = with_context(request(number + 10), || spawn(task));
            expect(task.await.is_ok(), "the task ends well");
            expect_here(number, "what comes after the join");
        };
        let other = beside(2001, move || {
            with_context(request(2), || handle.block_on(visit(2)))
        });
        with_context(request(1), || runtime.block_on(visit(1)));
        other.join().unwrap();
    });
}

/// A guest spawns two tasks and goes at once: whatever it had not begun is told to the worker,
/// which may be asleep.
#[test]
fn a_guest_leaves_its_tasks_to_others() {
    check("a_guest_leaves_its_tasks_to_others", || {
        let runtime = workers(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let main = async move {
            spawn_two(&opened);
        };
        with_context(request(1), || runtime.block_on(main));
        gate.pass(2);
    });
}
