//! What the Context costs an actor: the envelope, against the library alone.

mod kameo;
mod ractor;

use std::future::Future;
use std::time::Instant;

use crate::context::carried;
use crate::executor::{Kamon, Scheduler};
use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// Messages for each measurement, the last of which is waited for.
const MESSAGES: u64 = 1_000;

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = kameo::workloads();
    workloads.extend(ractor::workloads());
    Group {
        name: "actor",
        about: "a message to an actor, with the Context and without, measured (kameo.actor.*, \
                ractor.actor.*) and not",
        workloads,
    }
}

/// A row: the library alone, and with the Context, on kamon's executor.
fn row(
    name: &'static str,
    bare: impl Fn(&mut Meter<'_>, usize) + 'static,
    ours: impl Fn(&mut Meter<'_>, usize) + 'static,
) -> Workload {
    Workload {
        name,
        workers: Workers::Fixed(1),
        unit: Unit::Nanoseconds,
        rounds: Rounds::AsTold,
        candidates: vec![
            Candidate::new("bare", Role::Reference, bare),
            Candidate::new("kamon", Role::Ours, ours),
        ],
    }
}

/// Measures `send`, which sends so many messages to an actor and waits for the last one, in a task
/// with a Context of one value. The time is that of one message.
fn per_message<A, S, F>(
    meter: &mut Meter<'_>,
    workers: usize,
    start: impl Future<Output = A>,
    send: S,
) where
    A: Clone + Send + 'static,
    S: Fn(A, u64) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let scheduler = Kamon::start(workers);
    let actor = scheduler.block_on(start);
    let _scope = kamon::store_context(carried::kamon(1));
    meter.run(|iterations| {
        let (actor, send) = (actor.clone(), send.clone());
        let begin = Instant::now();
        scheduler.block_on(async {
            Kamon::spawn(async move {
                for _ in 0..iterations {
                    send(actor.clone(), MESSAGES).await;
                }
            })
            .await;
        });
        begin.elapsed().as_nanos() as f64 / (iterations * MESSAGES) as f64
    });
}
