//! What a span costs: started, finished and recorded; in which shape; and when nobody wants it.

mod attributed;
mod children;
pub(crate) mod rivals;
mod shapes;
mod unwanted;

use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = children::workloads();
    workloads.extend(shapes::workloads());
    workloads.extend(unwanted::workloads());
    workloads.extend(attributed::workloads());
    Group {
        name: "span",
        about: "what a span costs, the root of its trace included; kamon's are measured as \
                span.processing-time besides, the rivals' are not",
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
fn ours(body: impl Fn(&mut Meter<'_>, usize) + 'static) -> Candidate {
    Candidate::new("kamon", Role::Ours, body)
}

/// The cell of one that does the same.
fn peer(name: &'static str, body: impl Fn(&mut Meter<'_>, usize) + 'static) -> Candidate {
    Candidate::new(name, Role::Peer, body)
}

/// The cell of kamon with something left out.
fn less(name: &'static str, body: impl Fn(&mut Meter<'_>, usize) + 'static) -> Candidate {
    Candidate::new(name, Role::Reference, body)
}

/// Measures `trace`, which makes so many spans, by the span.
fn per_span(meter: &mut Meter<'_>, spans: usize, mut trace: impl FnMut()) {
    meter.run(|iterations| {
        let begin = std::time::Instant::now();
        for _ in 0..iterations {
            trace();
        }
        begin.elapsed().as_nanos() as f64 / (iterations as f64 * spans as f64)
    });
}
