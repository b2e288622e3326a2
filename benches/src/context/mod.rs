//! What the Context costs: for each poll, for each spawn, for a value, and for whole workloads.

pub(crate) mod carried;
mod polled;
mod spawned;
mod values;

use crate::executor;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = polled::workloads();
    workloads.extend(spawned::workloads());
    workloads.extend(values::workloads());
    workloads.extend(executor::with_and_without_context());
    Group {
        name: "context",
        about: "what the Context costs; whole/...: the scheduler's workloads against the same \
                scheduler with the Context compiled out of the path (0.98 is 2 %)",
        workloads,
    }
}

/// A row that is measured on one thread.
fn on_one_thread(name: &'static str, candidates: Vec<Candidate>) -> Workload {
    Workload {
        name,
        workers: Workers::Fixed(1),
        unit: Unit::Nanoseconds,
        rounds: Rounds::AsTold,
        candidates,
    }
}

/// kamon's cell.
fn ours(body: impl Fn(&mut crate::Meter<'_>, usize) + 'static) -> Candidate {
    Candidate::new("kamon", Role::Ours, body)
}

/// The cell of one that does the same.
fn peer(name: &'static str, body: impl Fn(&mut crate::Meter<'_>, usize) + 'static) -> Candidate {
    Candidate::new(name, Role::Peer, body)
}

/// The cell of the same thing with nothing carried at all.
fn bare(body: impl Fn(&mut crate::Meter<'_>, usize) + 'static) -> Candidate {
    Candidate::new("bare", Role::Reference, body)
}
