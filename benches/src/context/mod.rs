//! What the Context costs: for each poll, for each spawn, for a value, and for whole workloads.

mod attached;
mod polled;
mod spawned;
mod values;

use crate::executor::{self, Kamon, Scheduler, WithoutContext};
use crate::workload::{Candidate, Group, Role, Unit, Workers, Workload};

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = polled::workloads();
    workloads.extend(spawned::workloads());
    workloads.extend(values::workloads());
    workloads.extend(whole());
    Group {
        name: "context",
        about: "what the Context costs; whole/...: the scheduler's workloads against the same \
                scheduler with the Context compiled out (0.98 and above is within 2 %)",
        workloads,
    }
}

/// A row that is measured on one thread.
pub(crate) fn on_one_thread(name: &'static str, candidates: Vec<Candidate>) -> Workload {
    Workload { name, workers: Workers::Fixed(1), unit: Unit::Nanoseconds, candidates }
}

/// The scheduler's workloads with the Context and without it.
fn whole() -> Vec<Workload> {
    macro_rules! rows {
        ($($name:literal: $body:path),* $(,)?) => {
            vec![$(Workload {
                name: concat!("whole/", $name),
                workers: Workers::Each(&[1, 2]),
                unit: Unit::Nanoseconds,
                candidates: vec![
                    Candidate::new(Kamon::NAME, Role::Ours, $body as fn(&mut _, _)),
                    Candidate::new(WithoutContext::NAME, Role::Peer, {
                        use $body as body;
                        body::<WithoutContext>
                    }),
                ],
            }),*]
        };
    }
    use executor::workloads;
    rows![
        "spawn_many_local": workloads::spawn_many_local,
    ]
}
