//! Joining leaves the Context of whoever joins as it was, and an output nobody takes is dropped
//! where it belongs.

use kamon_loomed::{spawn, with_context, Context, Key};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::Arc;

use crate::model::check;
use crate::model::house::{workers, Gate};
use crate::model::witness::{expect, expect_here, know, request, Drops};

/// A task awaits its child, which runs here or on the other worker.
#[test]
fn joined_from_a_task() {
    check("joined_from_a_task", || {
        let runtime = workers(2);
        let (drops, gate) = (Drops::default(), Gate::new());
        let (probes, opened) = (drops.clone(), gate.clone());
        let parent = async move {
            // The output belongs to whoever takes it, so it is dropped in the parent's Context.
            let output = probes.probe(1, "an output that was claimed");
            let child = async move {
                expect_here(2, "the child's poll");
                output
            };
            let child = with_context(request(2), || spawn(child));
            expect_here(1, "what comes before the join");
            let output = child.await;
            expect_here(1, "what comes after the join");
            expect(output.is_ok(), "the child ends well");
            drop(output);
            opened.open();
        };
        with_context(request(1), || drop(runtime.spawn(parent)));
        gate.pass(1);
        expect(drops.count() == 1, "the output is dropped once");
    });
}

/// A thread that is in `block_on` awaits two tasks: it may run them itself, or a worker does.
#[test]
fn joined_from_block_on() {
    check("joined_from_block_on", || {
        let runtime = workers(1);
        let main = async {
            let tasks = [1, 2].map(|number| {
                let task = async move { expect_here(number, "a poll") };
                with_context(request(number), || spawn(task))
            });
            for task in tasks {
                expect(task.await.is_ok(), "the task ends well");
                expect_here(9, "what comes after the join");
            }
        };
        with_context(request(9), || runtime.block_on(main));
    });
}

/// As before, but the tasks are in the injector when the thread begins to block.
#[test]
fn joined_from_block_on_when_spawned_before() {
    check("joined_from_block_on_when_spawned_before", || {
        let runtime = workers(1);
        let tasks = [1, 2].map(|number| {
            let task = async move { expect_here(number, "a poll") };
            with_context(request(number), || runtime.spawn(task))
        });
        let [first, second] = tasks;
        drop(first);
        expect(
            runtime.block_on(second).is_ok(),
            "the second task ends well",
        );
    });
}

/// The handle goes while the task completes: either the handle drops the output or the task does,
/// in the task's Context.
#[test]
fn an_unclaimed_output_is_dropped_in_its_context() {
    check("an_unclaimed_output_is_dropped_in_its_context", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let output = drops.probe(1, "an output");
        let task = with_context(request(1), || runtime.spawn(async move { output }));
        drop(task);
        drop(runtime);
        expect(drops.count() == 1, "the output is dropped once");
    });
}

/// Children in a Context that is current in their parent for a while: their holds on it are taken many at
/// a time, and what is left of them goes back when it is current no longer.
#[test]
fn a_task_that_spawns_many_in_one_context() {
    check("a_task_that_spawns_many_in_one_context", || {
        let runtime = workers(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let parent = async move {
            with_context(request(2), || {
                for _ in 0..3 {
                    let gate = opened.clone();
                    let child = async move {
                        expect_here(2, "a poll");
                        gate.open();
                    };
                    drop(spawn(child));
                }
            });
        };
        with_context(request(1), || drop(runtime.spawn(parent)));
        gate.pass(3);
    });
}

static VALUE: Key<Option<Value>> = Key::local("value of a request", || None);

struct Value(Arc<AtomicUsize>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// A Context with a value, and how many of that have gone.
fn watched_request() -> (Context, Arc<AtomicUsize>) {
    let gone = Arc::new(AtomicUsize::new(0));
    let context = request(1).with_key(&VALUE, Some(Value(gone.clone())));
    (context, gone)
}

/// Who has joined the last task of a request finds its values gone, although workers hold a Context for
/// tasks to come.
#[test]
fn values_go_with_the_last_task_that_is_joined() {
    know(&VALUE);
    check("values_go_with_the_last_task_that_is_joined", || {
        let runtime = workers(1);
        let (context, gone) = watched_request();
        let parent = async {
            let children = [spawn(async {}), spawn(async {})];
            for child in children {
                expect(child.await.is_ok(), "the child ends well");
            }
        };
        let parent = with_context(context, || runtime.spawn(parent));
        let ended = loom::future::block_on(parent);
        expect(ended.is_ok(), "the parent ends well");
        expect(gone.load(Ordering::Acquire) == 1, "the value is gone");
    });
}

/// A thread in `block_on` gives turns in its future's Context and hands that out: when it returns, and the tasks
/// are over, the values are gone.
#[test]
fn values_go_with_the_future_in_block_on() {
    know(&VALUE);
    check("values_go_with_the_future_in_block_on", || {
        let runtime = workers(1);
        let (context, gone) = watched_request();
        let parent = async {
            let children = [spawn(async {}), spawn(async {}), spawn(async {})];
            for child in children {
                expect(child.await.is_ok(), "the child ends well");
            }
        };
        with_context(context, || runtime.block_on(parent));
        expect(gone.load(Ordering::Acquire) == 1, "the value is gone");
    });
}
