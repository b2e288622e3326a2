//! Scopes that end in the wrong order, or never, disturb nobody else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc as StdArc;
use std::task::{Context as TaskContext, Wake, Waker};

use kamon_loomed::spawn_local;
use kamon_loomed::task::yield_now;
use kamon_loomed::{current_context, store_context, with_context, Key};

use crate::model::check;
use crate::model::house::{beside, current_thread, workers, Event, Gate};
use crate::model::witness::{expect, expect_here, here, know, request};

/// Two tasks of two requests on one worker.
fn on_one_worker<F: Future<Output = ()> + Send + 'static>(task: impl Fn(u32) -> F) {
    let runtime = workers(1);
    for number in [1, 2] {
        with_context(request(number), || drop(runtime.spawn(task(number))));
    }
    drop(runtime);
}

/// Two tasks on one worker, each closing its Scopes in the wrong order.
#[test]
fn closed_out_of_order() {
    check("closed_out_of_order", || {
        on_one_worker(|number| async move {
            let first = store_context(request(number + 10));
            let second = store_context(request(number + 20));
            drop(first);
            expect_here(number + 20, "what is left of two Scopes");
            drop(second);
            expect_here(number, "what is left after both Scopes");
        });
    });
}

/// Two tasks on one worker, each closing a Scope from within a closure in another Context, which has a Scope of
/// its own or none.
#[test]
fn closed_in_an_inner_frame() {
    check("closed_in_an_inner_frame", || {
        on_one_worker(|number| async move {
            let first = store_context(request(number + 10));
            let second = store_context(request(number + 20));
            with_context(request(number + 30), || {
                drop(second);
                expect_here(number + 30, "a closure that closed a Scope around it");
            });
            expect_here(number + 10, "what is left of two Scopes");
            with_context(request(number + 30), || {
                let third = store_context(request(number + 40));
                drop(first);
                expect_here(number + 40, "a Scope above one that was closed");
                drop(third);
                expect_here(number + 30, "a closure whose Scope was closed");
            });
            expect_here(number, "what is left after all Scopes");
        });
    });
}

/// Local tasks may hold a Scope across an await. It is put aside between two polls, whoever wakes
/// them.
#[test]
fn held_across_an_await() {
    check("held_across_an_await", || {
        let runtime = current_thread();
        let event = Event::new();
        let awaited = event.clone();
        let thread = beside(2001, move || event.set());
        let main = async move {
            let local = with_context(request(1), || {
                spawn_local(async move {
                    let first = store_context(request(11));
                    awaited.wait().await;
                    expect_here(11, "a Scope held across an await");
                    let second = store_context(request(12));
                    drop(first);
                    yield_now().await;
                    expect_here(12, "a Scope held across another await");
                    drop(second);
                    expect_here(1, "what is left after both Scopes");
                })
            });
            let other = with_context(request(2), || {
                spawn_local(async {
                    expect_here(2, "a poll");
                    yield_now().await;
                    expect_here(2, "a later poll");
                })
            });
            expect(
                local.await.is_ok() && other.await.is_ok(),
                "both tasks end well",
            );
        };
        with_context(request(9), || runtime.block_on(main));
        thread.join().unwrap();
    });
}

/// A task forgets a Scope and waits: neither its later polls nor other tasks find anything of it.
#[test]
fn forgotten_in_a_poll() {
    check("forgotten_in_a_poll", || {
        let runtime = workers(1);
        let gate = Gate::new();
        for number in [1, 2] {
            let opened = gate.clone();
            let task = async move {
                std::mem::forget(store_context(request(number + 10)));
                expect_here(number + 10, "what is inside of a Scope");
                yield_now().await;
                expect_here(number, "a later poll");
                opened.open();
            };
            with_context(request(number), || drop(runtime.spawn(task)));
        }
        gate.pass(2);
    });
}

/// The waker of whoever joins a task forgets a Scope. It is called by the turn that ends the task, outside of its
/// frames: the worker has nothing of it after that turn.
#[test]
fn forgotten_by_a_waker() {
    check("forgotten_by_a_waker", || {
        let runtime = workers(1);
        let called = Gate::new();
        let mut task = runtime.spawn(async {});
        let waker = Waker::from(StdArc::new(Forgetful(called.clone())));
        let polled = Pin::new(&mut task).poll(&mut TaskContext::from_waker(&waker));
        if polled.is_pending() {
            called.pass(1);
        }
    });
}

struct Forgetful(Gate);

impl Wake for Forgetful {
    fn wake(self: StdArc<Self>) {
        std::mem::forget(store_context(request(13)));
        self.0.open();
    }
}

/// A value that looks around when it is dropped.
struct Curious;

impl Drop for Curious {
    fn drop(&mut self) {
        // The oracle of the models panics if the current Context is gone.
        drop(current_context());
        expect(here() == 1, "a value of a closed Scope is dropped outside");
    }
}

static CURIOUS: Key<Option<Curious>> = Key::local("curious", || None);

/// A Scope is the last to hold its Context: what is in there is dropped when the task's own
/// Context is current again.
#[test]
fn values_go_when_the_slot_is_in_order() {
    know(&CURIOUS);
    check("values_go_when_the_slot_is_in_order", || {
        let runtime = workers(1);
        let gate = Gate::new();
        let opened = gate.clone();
        let task = async move {
            drop(store_context(request(2).with_key(&CURIOUS, Some(Curious))));
            opened.open();
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        gate.pass(1);
    });
}
