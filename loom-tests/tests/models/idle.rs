//! No wake-up is lost between a push and a worker that lies down.

use kamon_loomed::__model::{self as inside, Idle, Parker};
use kamon_loomed::with_context;
use loom::sync::Arc;
use loom::thread;

use crate::model::house::{workers, Gate};
use crate::model::witness::{expect_here, request};
use crate::model::{check, check_bounded};
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The protocol with as little around it as possible: a queue that is a number, stored with release
/// and read with acquire, and workers that do nothing else.
struct House {
    idle: Idle,
    parkers: Vec<Parker>,
    queued: AtomicUsize,
    closed: AtomicBool,
    done: Gate,
}

impl House {
    fn new(workers: usize) -> Arc<House> {
        Arc::new(House {
            idle: Idle::new(workers),
            parkers: (0..workers).map(|_| Parker::new()).collect(),
            queued: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            done: Gate::new(),
        })
    }

    fn push(&self) {
        self.queued.fetch_add(1, Ordering::Release);
        self.notify();
    }

    fn notify(&self) {
        if let Some(worker) = self.idle.worker_to_wake() {
            self.parkers[worker].unpark();
        }
    }

    fn pop(&self) -> bool {
        let mut queued = self.queued.load(Ordering::Acquire);
        while queued > 0 {
            let order = (Ordering::AcqRel, Ordering::Acquire);
            match self
                .queued
                .compare_exchange(queued, queued - 1, order.0, order.1)
            {
                Ok(_) => return true,
                Err(now) => queued = now,
            }
        }
        false
    }

    fn work(&self, worker: usize) {
        self.parkers[worker].attach();
        let mut searching = false;
        while !self.closed.load(Ordering::Acquire) {
            let mut found = self.pop();
            if !found && !searching && self.idle.start_searching() {
                searching = true;
                found = self.pop();
            }
            if found {
                if std::mem::take(&mut searching) && self.idle.found_work() {
                    self.notify();
                }
                self.done.open();
                // The first thing found holds its finder up until everybody has found one.
                if self.parkers.len() > 1 {
                    self.done.pass(self.parkers.len());
                }
                continue;
            }
            let look_again = self.idle.park(worker, std::mem::take(&mut searching));
            if look_again && self.queued.load(Ordering::Acquire) > 0 {
                self.notify();
            }
            while self.idle.is_asleep(worker) && !self.closed.load(Ordering::Acquire) {
                self.parkers[worker].park();
            }
            searching = true;
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.parkers.iter().for_each(Parker::unpark);
    }
}

fn protocol(name: &str, workers: usize, pushes: usize, preemptions: usize) {
    check_bounded(name, preemptions, move || {
        let house = House::new(workers);
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let house = house.clone();
                thread::spawn(move || house.work(worker))
            })
            .collect();
        for _ in 0..pushes {
            house.push();
        }
        house.done.pass(pushes);
        house.close();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_push_wakes_the_only_worker() {
    protocol("a_push_wakes_the_only_worker", 1, 2, 3);
}

#[test]
fn two_pushes_wake_two_workers() {
    protocol("two_pushes_wake_two_workers", 2, 2, 1);
}

/// The whole executor on weak queues: two tasks from outside, one worker.
#[test]
fn no_task_is_left_in_the_injector() {
    check("no_task_is_left_in_the_injector", || {
        inside::make_weak_queues(true);
        let runtime = workers(1);
        let gate = Gate::new();
        for number in [1, 2] {
            let opened = gate.clone();
            let task = async move {
                expect_here(number, "a poll");
                opened.open();
            };
            with_context(request(number), || drop(runtime.spawn(task)));
        }
        gate.pass(2);
    });
}

/// The same with two workers: one of them is about to lie down, or both are.
#[test]
fn no_task_is_left_by_two_workers() {
    check_bounded("no_task_is_left_by_two_workers", 1, || {
        inside::make_weak_queues(true);
        let runtime = workers(2);
        let gate = Gate::new();
        let opened = gate.clone();
        drop(runtime.spawn(async move { opened.open() }));
        gate.pass(1);
    });
}

/// Two tasks that block their threads until both have begun: with two workers each gets one, because what a
/// worker takes out of the injector besides the task that it runs does not wait for that one's end.
#[test]
fn each_task_has_a_worker() {
    check_bounded("each_task_has_a_worker", 1, || {
        let runtime = workers(2);
        let gate = Gate::new();
        for _ in 0..2 {
            let gate = gate.clone();
            drop(runtime.spawn(async move {
                gate.open();
                gate.pass(2);
            }));
        }
        gate.pass(2);
    });
}
