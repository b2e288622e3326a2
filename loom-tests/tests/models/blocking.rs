//! Closures that block run in the Context they were spawned in, on threads that keep nothing.

use kamon_loomed::runtime::Builder;
use kamon_loomed::task::block_in_place;
use kamon_loomed::{spawn, spawn_blocking, with_context};

use crate::model::check;
use crate::model::house::{build, current_thread, workers, Gate};
use crate::model::witness::{expect, expect_here, request, Drops};

/// A closure is handed to a thread that starts for it, and its output comes back.
#[test]
fn a_closure_is_handed_over() {
    check("a_closure_is_handed_over", || {
        let runtime = current_thread();
        let drops = Drops::default();
        let probe = drops.probe(1, "a closure");
        let main = async move {
            let closure = move || {
                expect_here(1, "a blocking closure");
                drop(probe);
            };
            let outcome = with_context(request(1), || spawn_blocking(closure)).await;
            expect_here(9, "what comes after the join");
            expect(outcome.is_ok(), "the closure ends well");
        };
        with_context(request(9), || runtime.block_on(main));
        expect(drops.count() == 1, "the closure is dropped once");
    });
}

/// Two closures and one thread: the second waits, and the runtime may end before its turn.
#[test]
fn a_queued_closure_runs_or_is_cancelled() {
    check("a_queued_closure_runs_or_is_cancelled", || {
        let runtime = build(Builder::new_current_thread().max_blocking_threads(1));
        let drops = Drops::default();
        for number in [1, 2] {
            let probe = drops.probe(number, "a closure");
            let closure = move || {
                expect_here(number, "a blocking closure");
                drop(probe);
            };
            with_context(request(number), || drop(runtime.spawn_blocking(closure)));
        }
        drop(runtime);
        expect(drops.count() == 2, "each closure is dropped once");
    });
}

/// A task blocks its worker's thread until another task has run: the rest of the worker has moved
/// to another thread meanwhile.
#[test]
fn a_blocked_worker_is_handed_over() {
    check("a_blocked_worker_is_handed_over", || {
        let runtime = workers(1);
        let (drops, gate) = (Drops::default(), Gate::new());
        let (probe, opened) = (drops.probe(1, "a future"), gate.clone());
        let task = async move {
            let _probe = probe;
            let met =
                loom::sync::Arc::new((loom::sync::Mutex::new(false), loom::sync::Condvar::new()));
            let theirs = met.clone();
            let other = with_context(request(2), || {
                spawn(async move {
                    expect_here(2, "a poll");
                    *theirs.0.lock().unwrap() = true;
                    theirs.1.notify_one();
                })
            });
            block_in_place(|| {
                expect_here(1, "a closure in place");
                let mut met_it = met.0.lock().unwrap();
                while !*met_it {
                    met_it = met.1.wait(met_it).unwrap();
                }
            });
            expect_here(1, "what comes after a closure in place");
            drop(other);
            opened.open();
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        // Not in `block_on`, where this thread would run the other task.
        gate.pass(1);
        drop(runtime);
        expect(drops.count() == 1, "the future is dropped once");
    });
}

/// A blocking closure runs a future of its own on the runtime it belongs to.
#[test]
fn nested_block_on() {
    check("nested_block_on", || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        let gate = Gate::new();
        let ended = gate.clone();
        let closure = move || {
            expect_here(1, "a blocking closure");
            let inner = async {
                expect_here(1, "a nested block_on");
                let task = with_context(request(2), || spawn(async { expect_here(2, "a poll") }));
                expect(task.await.is_ok(), "the task ends well");
                expect_here(1, "a nested block_on after a join");
            };
            handle.block_on(inner);
            expect_here(1, "what comes after a nested block_on");
            ended.open();
        };
        with_context(request(1), || drop(runtime.spawn_blocking(closure)));
        gate.pass(1);
    });
}

/// Two closures that wait for each other, and a thread that has become idle, or is about to: the
/// second closure gets a thread of its own.
#[test]
fn two_closures_and_one_idle_thread() {
    check("two_closures_and_one_idle_thread", || {
        let runtime = build(Builder::new_current_thread().max_blocking_threads(2));
        drop(runtime.spawn_blocking(|| ()));
        let gate = Gate::new();
        for number in [1, 2] {
            let gate = gate.clone();
            let closure = move || {
                expect_here(number, "a blocking closure");
                gate.open();
                gate.pass(2);
            };
            with_context(request(number), || drop(runtime.spawn_blocking(closure)));
        }
        gate.pass(2);
    });
}
