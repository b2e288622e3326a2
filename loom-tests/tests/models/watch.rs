//! A worker that calls nobody for what it has queued, because it is soon done with it, may be held up all
//! the same: then somebody comes who watches.

use std::future::Future;
use std::pin::Pin;

use kamon_loomed::__model::{Idle, Parker, Watch, Watching};
use kamon_loomed::runtime::{Builder, Runtime};
use kamon_loomed::task::yield_now;
use kamon_loomed::{spawn, with_context};
use loom::sync::Arc;
use loom::thread;

use crate::model::house::{build, spawn_two, Gate};
use crate::model::witness::{expect_here, request};
use crate::model::{check, check_bounded};
use crate::sync::atomic::{AtomicUsize, Ordering};

/// The protocol with as little around it as possible: a worker, number zero, that has queued
/// something and is held up, and a queue that is a number, as in `idle`.
struct House {
    idle: Idle,
    watch: Watch,
    parkers: Vec<Parker>,
    queued: AtomicUsize,
    found: Gate,
}

impl House {
    fn new(workers: usize) -> Arc<House> {
        Arc::new(House {
            idle: Idle::new(workers),
            watch: Watch::new(),
            parkers: (0..workers).map(|_| Parker::new()).collect(),
            queued: AtomicUsize::new(0),
            found: Gate::new(),
        })
    }

    /// Queues something, as a worker does whose turns are short, and is held up until it is found.
    fn keep(&self) {
        self.queued.store(1, Ordering::Release);
        let called = self.idle.worker_to_wake_unless(|| {
            self.watch.join();
            self.watch.is_watched()
        });
        if let Some(worker) = called {
            self.parkers[worker].unpark();
        }
        self.found.pass(1);
    }

    /// As a guest, which has called somebody if nobody watched, and asks no more.
    fn keep_as_before(&self) {
        self.watch.join_as_guest();
        if !self.watch.is_watched() {
            self.call();
        }
        self.queued.store(1, Ordering::Release);
        self.found.pass(1);
    }

    fn has_work(&self) -> bool {
        self.queued.load(Ordering::Acquire) > 0
    }

    fn call(&self) {
        if let Some(worker) = self.idle.worker_to_wake() {
            self.parkers[worker].unpark();
        }
    }

    /// Another worker: it has nothing to do, sleeps, and watches if it should, until there is something.
    fn rest(&self, worker: usize) {
        self.parkers[worker].attach();
        let mut searching = false;
        loop {
            self.lie_down(worker, searching);
            if self.has_work() {
                return self.found.open();
            }
            // It was called for what it does when it finds nothing.
            searching = true;
        }
    }

    fn lie_down(&self, worker: usize, searching: bool) {
        let mut watching = self.watch.lie_down(|watches| {
            let look_again = self.idle.park(worker, searching);
            if look_again && !watches && self.has_work() {
                self.call();
            }
        });
        while self.idle.is_asleep(worker) {
            match watching {
                Some(_) => thread::yield_now(),
                None => self.parkers[worker].park(),
            }
            if watching.is_some() && self.has_work() {
                self.idle.get_up(worker);
            }
            watching = match watching.take() {
                // The other one takes no turn any more.
                Some(watching) => self.watch.go_on(watching, true, || self.has_work()),
                None => self.watch.begin(),
            };
        }
    }

    /// One that watches until it has something of its own to do, which takes long.
    fn leave(&self, watching: Option<Watching<'_>>) {
        if watching.is_some_and(|watching| watching.leave(|| self.has_work())) {
            self.call();
        }
        self.found.pass(1);
    }
}

/// A worker that is held up, and another.
fn two(name: &str, keep: impl Fn(&House) + Send + Sync + 'static) {
    check_bounded(name, 3, move || {
        let house = House::new(2);
        house.watch.join();
        let other = {
            let house = house.clone();
            thread::spawn(move || house.rest(1))
        };
        keep(&house);
        other.join().unwrap();
    });
}

#[test]
fn what_is_kept_is_found_by_one_who_watches() {
    two("what_is_kept_is_found_by_one_who_watches", House::keep);
}

/// There was somebody to watch over, and there is no more, and then there is again.
#[test]
fn who_watches_no_longer_is_called() {
    two("who_watches_no_longer_is_called", |house| {
        house.watch.leave();
        house.keep();
    });
}

/// The one who watches leaves, while a third one sleeps and does not watch.
fn one_leaves(name: &str, keep: impl Fn(&House) + Send + Sync + 'static) {
    check(name, move || {
        let house = House::new(3);
        house.watch.join();
        let threads = [1, 2].map(|worker| {
            let house = house.clone();
            thread::spawn(move || match worker {
                1 => house.leave(house.watch.begin()),
                _ => house.rest(worker),
            })
        });
        keep(&house);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn who_leaves_the_watch_calls_another() {
    one_leaves("who_leaves_the_watch_calls_another", House::keep);
}

/// There is nothing yet to call another for.
#[test]
fn who_leaves_the_watch_over_a_guest_calls_another() {
    one_leaves(
        "who_leaves_the_watch_over_a_guest_calls_another",
        House::keep_as_before,
    );
}

/// Has `run` run a task of the whole executor that has just had a short turn, spawns two others and blocks its
/// thread until so many of them have run.
fn blocks_after_a_short_turn(name: &str, times: usize, run: fn(Runtime, BoxedTask, Gate)) {
    check_bounded(name, 1, move || {
        let runtime = build(
            Builder::new_multi_thread()
                .worker_threads(2)
                .event_interval(1),
        );
        let gate = Gate::new();
        let opened = gate.clone();
        let blocks = async move {
            yield_now().await;
            spawn_two(&opened);
            opened.pass(times);
            expect_here(1, "what comes after the wait");
        };
        run(runtime, Box::pin(blocks), gate);
    });
}

type BoxedTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One of them is in the slot, for which nobody is called.
#[test]
fn a_task_that_blocks_after_a_short_turn() {
    blocks_after_a_short_turn(
        "a_task_that_blocks_after_a_short_turn",
        1,
        |runtime, task, gate| {
            with_context(request(1), || drop(runtime.spawn(task)));
            gate.pass(1);
        },
    );
}

/// Somebody watches already, over a guest that blocks its thread as well.
#[test]
fn a_task_that_blocks_while_somebody_watches() {
    blocks_after_a_short_turn(
        "a_task_that_blocks_while_somebody_watches",
        2,
        |runtime, task, gate| {
            runtime.block_on(async move {
                with_context(request(1), || drop(spawn(task)));
                gate.pass(2);
            });
        },
    );
}

/// Somebody watches over a guest that blocks its thread, and a worker blocks its own until what it has spawned has
/// run. Then it does so again, when whoever ran that may have begun to watch.
#[test]
fn a_task_that_blocks_again_while_somebody_watches() {
    check_bounded("a_task_that_blocks_again_while_somebody_watches", 0, || {
        let runtime = build(Builder::new_multi_thread().worker_threads(2));
        let gate = Gate::new();
        let opened = gate.clone();
        let blocks = async move {
            for times in [1, 2] {
                let opens = opened.clone();
                drop(spawn(async move { opens.open() }));
                opened.pass(times);
            }
            expect_here(1, "what comes after the waits");
        };
        runtime.block_on(async move {
            with_context(request(1), || drop(spawn(blocks)));
            gate.pass(2);
        });
    });
}
