//! A wake moves a task, never a Context.

use std::sync::Arc as StdArc;
use std::task::{Context as TaskContext, Wake, Waker};

use std::future::Future;
use std::pin::pin;

use kamon_loomed::__model as inside;
use kamon_loomed::{task, with_context};

use crate::model::check;
use crate::model::house::{beside, workers, Event, Gate};
use crate::model::witness::{expect, expect_here, request, Drops};

/// The thread that wakes is neither of the two workers, and the second poll may be on another one
/// than the first.
#[test]
fn woken_between_polls_by_a_third_thread() {
    check("woken_between_polls_by_a_third_thread", || {
        let runtime = workers(2);
        let (event, gate) = (Event::new(), Gate::new());
        let (awaited, opened) = (event.clone(), gate.clone());
        let task = async move {
            expect_here(1, "the first poll");
            awaited.wait().await;
            expect_here(1, "a later poll");
            opened.open();
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        event.set();
        gate.pass(1);
    });
}

/// Woken while it runs: it goes to the back of the queue, where the other worker finds it.
#[test]
fn woken_by_itself() {
    check("woken_by_itself", || {
        let runtime = workers(2);
        let gate = Gate::new();
        let opened = gate.clone();
        let task = async move {
            expect_here(1, "the first poll");
            task::yield_now().await;
            expect_here(1, "a later poll");
            opened.open();
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        gate.pass(1);
    });
}

/// A detached task whose only waker but the registry's goes, while its runtime ends. The registry keeps the
/// task, or has let go of it: the future is dropped once, and not later than its runtime.
#[test]
fn dropped_by_its_last_waker() {
    check("dropped_by_its_last_waker", || {
        let runtime = workers(1);
        let drops = Drops::default();
        let event = Event::new();
        let (awaited, probe) = (event.clone(), drops.probe(1, "a future"));
        let task = async move {
            awaited.wait().await;
            drop(probe);
        };
        with_context(request(1), || drop(runtime.spawn(task)));
        let other = event.clone();
        let thread = beside(2001, move || drop(other.take_waker()));
        drop(runtime);
        expect(
            drops.count() == 1,
            "the future is dropped once, at the end of its runtime at last",
        );
        thread.join().unwrap();
        drop(event.take_waker());
    });
}

/// Whoever awaits a task is woken from inside of `Runnable::run`, after the task is complete and
/// perhaps gone. That wake is user code, and runs on the worker's own base.
#[test]
fn an_awaiter_is_woken_on_the_workers_base() {
    check("an_awaiter_is_woken_on_the_workers_base", || {
        let runtime = workers(1);
        let event = Event::new();
        let done = event.clone();
        let task = with_context(request(1), || runtime.spawn(async { 1 }));
        let waker = Waker::from(StdArc::new(Awaiter { done: event }));
        let mut task = pin!(task);
        loop {
            let polled = task.as_mut().poll(&mut TaskContext::from_waker(&waker));
            if polled.is_ready() {
                break;
            }
            runtime.block_on(done.wait());
            if done.has_happened() {
                let polled = task.as_mut().poll(&mut TaskContext::from_waker(&waker));
                expect(polled.is_ready(), "a wake means that the task is complete");
                break;
            }
        }
    });
}

struct Awaiter {
    done: Event,
}

impl Wake for Awaiter {
    fn wake(self: StdArc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &StdArc<Self>) {
        expect(
            inside::is_on_base(),
            "STALE: an awaiter was woken in somebody's Context",
        );
        expect(
            task::try_id().is_none(),
            "an awaiter was woken as part of a task",
        );
        self.done.set();
    }
}

/// The future of a thread in `block_on` is woken by a thread that has nothing to do with the
/// runtime, while the worker is awake or asleep.
#[test]
fn a_root_is_woken_by_a_third_thread() {
    check("a_root_is_woken_by_a_third_thread", || {
        let runtime = workers(1);
        let event = Event::new();
        let awaited = event.clone();
        let thread = beside(2001, move || event.set());
        with_context(request(1), || runtime.block_on(awaited.wait()));
        thread.join().unwrap();
    });
}
