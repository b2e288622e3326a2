//! What a span costs: started, finished and recorded; in which shape; and when nobody wants it.

mod attributed;
mod children;
mod overload;
pub(crate) mod rivals;
mod shapes;
mod unwanted;

use std::sync::Once;
use std::time::{Duration, Instant};

use kamon::report::DropReason;

use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// Returns the group.
pub fn group() -> Group {
    let mut workloads = children::workloads();
    workloads.extend(shapes::workloads());
    workloads.extend(unwanted::workloads());
    workloads.extend(attributed::workloads());
    workloads.extend(overload::workloads());
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

/// How many spans are recorded at most before they are sent out: fewer than anybody's buffers hold.
const UNSENT: usize = 1024;

/// Room for the largest trace here. The rivals' buffers have no bound, or are given this one.
const BUFFER: usize = 16_384;

/// Has kamon keep so many of the last spans, or as many as it does by itself. The first call counts.
fn configure(recent_spans: Option<usize>) {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        // Twice the largest trace: spans are sent out when half of a ring is full, and that is not
        // measured, of nobody.
        let config = kamon::Config::new().ring_spans(2 * BUFFER);
        let config = match recent_spans {
            Some(number) => config.recent_spans(number),
            None => config,
        };
        drop(kamon::init(config).expect("a good configuration"));
    });
}

/// Measures `trace`, which makes so many spans, by the span. Sending out is not measured, and comes often
/// enough for none to be dropped.
pub(crate) fn per_span(meter: &mut Meter<'_>, spans: usize, mut trace: impl FnMut()) {
    configure(None);
    let together = (UNSENT / spans).max(1) as u64;
    meter.run(|iterations| {
        let mut took = Duration::ZERO;
        let mut left = iterations;
        while left > 0 {
            let number = left.min(together);
            let begin = Instant::now();
            for _ in 0..number {
                trace();
            }
            took += begin.elapsed();
            left -= number;
            rivals::flush();
            kamon::flush();
        }
        took.as_nanos() as f64 / (iterations as f64 * spans as f64)
    });
    let dropped = kamon::report::stats().dropped;
    // With the ring off nobody wants them.
    let lost = dropped.total() - dropped.because(DropReason::NoReporter);
    assert_eq!(lost, 0, "what is measured is recorded");
}
