//! The accounts as metrics: `kamon.spans.*` and `kamon.reporters.*`.

use std::sync::Once;

use crate::metrics::{counter, gauge, Observation};
use crate::report::drain::DRAIN;
use crate::report::outbox::Outbox;
use crate::report::DropReason;
use crate::sync::Arc;

/// Why spans do not reach the reporters.
const BEFORE: [DropReason; 4] = [
    DropReason::RingFull,
    DropReason::TraceIncomplete,
    DropReason::NoReporter,
    DropReason::Closed,
];

/// Why a reporter does not report.
const THERE: [DropReason; 4] = [
    DropReason::QueueFull,
    DropReason::Failed,
    DropReason::Panicked,
    DropReason::Shutdown,
];

/// Shows what becomes of spans on their way to the reporters, from the first call on.
pub(crate) fn observe_spans() {
    static OBSERVED: Once = Once::new();
    OBSERVED.call_once(|| {
        counter("kamon.spans.recorded")
            .with_description("finished spans of sampled traces")
            .observe(|| DRAIN.stats().recorded)
            .forever();
        counter("kamon.spans.reported")
            .with_description("spans that were handed to the reporters")
            .observe(|| DRAIN.stats().reported)
            .forever();
        gauge("kamon.spans.waiting")
            .with_description("spans in the rings")
            .observe(|| DRAIN.stats().waiting as f64)
            .forever();
        for reason in BEFORE {
            counter("kamon.spans.dropped")
                .with_description("spans that no reporter was handed")
                .with_tag("reason", reason.as_str())
                .observe(move || DRAIN.stats().dropped.because(reason))
                .forever();
        }
    });
}

/// Shows what becomes of the spans that a reporter is handed, for as long as the result is kept.
pub(crate) fn observe_reporter(outbox: &Arc<Outbox>) -> Vec<Observation> {
    let of = |read: fn(&Outbox) -> u64| {
        let outbox = outbox.clone();
        move || read(&outbox)
    };
    let name = || outbox.name().to_owned();
    let mut observations = vec![
        counter("kamon.reporters.spans.reported")
            .with_description("spans that a reporter has reported")
            .with_tag("reporter", name())
            .observe(of(|outbox| outbox.stats().reported)),
        counter("kamon.reporters.failures")
            .with_description("how often a reporter failed or panicked")
            .with_tag("reporter", name())
            .observe(of(|outbox| outbox.stats().failures)),
    ];
    observations.extend(THERE.map(|reason| {
        let outbox = outbox.clone();
        counter("kamon.reporters.spans.dropped")
            .with_description("spans that a reporter was handed and has not reported")
            .with_tag("reporter", name())
            .with_tag("reason", reason.as_str())
            .observe(move || outbox.stats().dropped.because(reason))
    }));
    observations
}
