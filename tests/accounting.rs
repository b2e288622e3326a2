//! Every span that is recorded is reported or counted as dropped, under overload too.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kamon::report::{DropReason, Flush, ReportError, ReportStats, SpanReporter};
use kamon::trace::SpanRecord;
use kamon::Config;

const THREADS: u64 = 8;
const SPANS: u64 = 125_000;
const QUEUE: usize = 4096;

/// Handles one batch in the time in which so many spans are recorded, until nobody records any
/// more. What it has seen is counted here, not by the library.
struct Overwhelmed {
    recorded: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    seen: Arc<AtomicU64>,
}

impl SpanReporter for Overwhelmed {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        let until = self.recorded.load(Ordering::SeqCst) + 50_000;
        while self.recorded.load(Ordering::SeqCst) < until && !self.over.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        self.seen.fetch_add(spans.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    fn name(&self) -> &str {
        "overwhelmed"
    }
}

fn hold(stats: &ReportStats) {
    let accounted = stats.reported + stats.waiting + stats.dropped.total();
    assert_eq!(stats.recorded, accounted, "{stats:?}");
    for reporter in &stats.reporters {
        let accounted = reporter.reported + reporter.waiting + reporter.dropped.total();
        assert_eq!(reporter.handed, accounted, "{stats:?}");
        assert!(reporter.waiting <= QUEUE as u64, "bounded: {stats:?}");
    }
    // Each of the threads has a ring, and so has the one that looks.
    let rings = (THREADS + 1) * 1024;
    assert!(stats.waiting <= rings, "bounded: {stats:?}");
}

#[test]
fn a_million_spans_are_accounted_for() {
    let recorded = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(AtomicU64::new(0));
    let reporter = Overwhelmed {
        recorded: recorded.clone(),
        over: over.clone(),
        seen: seen.clone(),
    };
    let config = Config::new()
        .ring_spans(1024)
        .queue_spans(QUEUE)
        .span_reporter(reporter);
    let kamon = kamon::init(config).unwrap();

    let mut subscription = kamon::metrics::subscribe("kamon.*", Duration::from_secs(3600));
    let recorders: Vec<_> = (0..THREADS)
        .map(|_| {
            let recorded = recorded.clone();
            thread::spawn(move || {
                for _ in 0..SPANS {
                    kamon::build_span("work").start().finish();
                    recorded.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();

    let mut last = 0;
    while recorders.iter().any(|recorder| !recorder.is_finished()) {
        // Whoever has been counted by us before has been counted by the library.
        let least = recorded.load(Ordering::SeqCst);
        let stats = kamon::report::stats();
        let most = recorded.load(Ordering::SeqCst) + THREADS;
        hold(&stats);
        assert!(
            (least..=most).contains(&stats.recorded),
            "{least} {stats:?}"
        );
        assert!(stats.recorded >= last);
        last = stats.recorded;
    }
    for recorder in recorders {
        recorder.join().unwrap();
    }
    over.store(true, Ordering::SeqCst);
    assert_eq!(kamon.flush(), Flush::Complete);

    let stats = kamon::report::stats();
    hold(&stats);
    assert_eq!(stats.recorded, THREADS * SPANS);
    assert_eq!(stats.waiting, 0);
    let overwhelmed = &stats.reporters[0];
    assert_eq!(
        (overwhelmed.name.as_str(), overwhelmed.waiting),
        ("overwhelmed", 0)
    );
    assert_eq!(overwhelmed.handed, stats.reported);
    assert_eq!(overwhelmed.reported, seen.load(Ordering::SeqCst));
    assert!(
        overwhelmed.dropped.because(DropReason::QueueFull) > 0,
        "{stats:?}"
    );
    // The metrics say the same.
    let period = subscription.snapshot();
    for (metric, number) in [
        ("kamon.spans.recorded", stats.recorded),
        ("kamon.spans.reported", stats.reported),
        ("kamon.spans.dropped", stats.dropped.total()),
        ("kamon.reporters.spans.reported", overwhelmed.reported),
        ("kamon.reporters.spans.dropped", overwhelmed.dropped.total()),
    ] {
        assert_eq!(period.counter(metric), Some(number), "{metric}");
    }
    assert_eq!(kamon.shutdown(), Flush::Complete);
}
