//! The storm of actors: jobs that go from actor to actor, and what each sees on its way.
#![allow(dead_code)] // Each test uses some.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::witness::{current, workers, Tally, Value};

/// Runs a storm on four workers of kamon, whose threads must be left with nothing.
pub(crate) fn on_kamon(storm: impl Future<Output = ()>) {
    let runtime = workers(4);
    runtime.block_on(storm);
    runtime.shut_down();
}

/// Runs a storm on four workers of tokio.
pub(crate) fn on_tokio(storm: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(storm);
}

/// What an actor does with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    Tell,
    Ask,
    AskThen,
    Forward,
    Pipe,
    Later,
    Panic,
    Refuse,
}

/// One in ten ends the actor.
fn deed(random: &mut fastrand::Rng) -> Deed {
    match random.u32(0..20) {
        0 => Deed::Panic,
        1 => Deed::Refuse,
        2..=5 => Deed::Ask,
        6..=8 => Deed::AskThen,
        9..=11 => Deed::Forward,
        12..=14 => Deed::Pipe,
        15..=16 => Deed::Later,
        _ => Deed::Tell,
    }
}

/// What is known of a storm.
#[derive(Default)]
pub(crate) struct Sky {
    pub(crate) tally: Tally,
    faults: Mutex<Vec<String>>,
    seen: Mutex<BTreeMap<String, usize>>,
}

impl Sky {
    /// Asserts later that this request is current now.
    pub(crate) fn check(&self, place: &str, request: u32) {
        *self
            .seen
            .lock()
            .unwrap()
            .entry(place.to_owned())
            .or_default() += 1;
        let seen = current();
        if seen != request {
            let fault = format!("{place}: {seen} instead of {request}");
            self.faults.lock().unwrap().push(fault);
        }
    }

    /// Begins requests, each with a job for `send`: some at a time, so that not all of them are lost
    /// with an actor that fails.
    pub(crate) async fn begin(self: &Arc<Self>, requests: u32, send: impl Fn(Job)) {
        for request in 1..=requests {
            if request % 20 == 0 {
                self.tally.at_most(200).await;
            }
            kamon::with_context(self.tally.request(request), || {
                send(Job {
                    request,
                    hops: 6,
                    random: fastrand::Rng::with_seed(u64::from(request)),
                    sky: self.clone(),
                    alive: self.tally.value(),
                });
            });
        }
    }

    /// Waits until all jobs are done and nothing is left of any request.
    pub(crate) async fn calm(&self) {
        let calm = tokio::time::timeout(Duration::from_secs(60), self.tally.gone());
        if calm.await.is_err() {
            let (alive, seen) = (self.tally.alive(), self.seen.lock().unwrap());
            panic!("{alive} things are left of requests: {seen:?}");
        }
    }

    /// Asserts that nobody saw another's Context, and that everything happened.
    pub(crate) fn settle(&self, places: &[&str]) {
        let faults = self.faults.lock().unwrap();
        let seen = self.seen.lock().unwrap();
        println!("{seen:?}");
        assert!(
            faults.is_empty(),
            "{}\n{} faults",
            faults.join("\n"),
            faults.len()
        );
        for place in places {
            assert!(
                seen.contains_key(*place),
                "{place} never happened: {seen:?}"
            );
        }
        assert!(
            seen.values().sum::<usize>() > 10_000,
            "too little happened: {seen:?}"
        );
    }
}

/// Some work for a request.
pub(crate) struct Job {
    pub(crate) request: u32,
    hops: u32,
    random: fastrand::Rng,
    pub(crate) sky: Arc<Sky>,
    alive: Value,
}

impl Job {
    /// Asserts later that this job's request is current now.
    pub(crate) fn check(&self, place: &str) {
        self.sky.check(place, self.request);
    }

    /// What to do with it, each with a job for it and one of `actors` actors.
    pub(crate) fn deeds(mut self, actors: usize) -> Vec<(Deed, Job, usize)> {
        if self.hops == 0 {
            return Vec::new();
        }
        let number = self.random.usize(1..=2);
        let deeds = (0..number).map(|_| {
            let job = Job {
                request: self.request,
                hops: self.hops - 1,
                random: self.random.fork(),
                sky: self.sky.clone(),
                alive: self.sky.tally.value(),
            };
            let deed = deed(&mut self.random);
            (deed, job, self.random.usize(..actors))
        });
        deeds.collect()
    }
}
