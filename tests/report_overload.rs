//! Under overload nobody who records waits, memory is bounded, and every span is accounted for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kamon::report::{stats, DropReason, Flush, ReportError, ReportStats, SpanReporter};
use kamon::trace::SpanRecord;
use kamon::Config;

const THREADS: u64 = 8;
const SPANS: u64 = 125_000;
/// Spans that may wait in a thread's ring.
const RING: u64 = 1024;
/// Spans that may wait for the reporter, but for one batch.
const QUEUE: u64 = 1000;
const BATCH: u64 = 512;

struct Slow {
    seen: Arc<AtomicU64>,
}

impl SpanReporter for Slow {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        // This is its work: ten thousand spans a second.
        thread::sleep(Duration::from_micros(100) * spans.len() as u32);
        self.seen.fetch_add(spans.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn name(&self) -> &str {
        "slow"
    }
}

/// The equations, which hold at any moment.
fn add_up(stats: &ReportStats) {
    let known = stats.reported + stats.waiting + stats.dropped.total();
    assert_eq!(stats.recorded, known, "{stats:?}");
    let slow = &stats.reporters[0];
    let known = slow.reported + slow.waiting + slow.dropped.total();
    assert_eq!(slow.handed, known, "{stats:?}");
    assert_eq!(slow.handed, stats.reported, "{stats:?}");
}

#[test]
fn a_million_spans_and_a_reporter_for_ten_thousand_a_second() {
    let seen = Arc::new(AtomicU64::new(0));
    let config = Config::new()
        .ring_spans(RING as usize)
        .queue_spans(QUEUE as usize)
        .span_reporter(Slow { seen: seen.clone() });
    let kamon = kamon::init(config).unwrap();
    let record = || (0..SPANS).for_each(|_| kamon::build_span("work").start().finish());
    let recorders: Vec<_> = (0..THREADS).map(|_| thread::spawn(record)).collect();
    while !recorders.iter().all(|recorder| recorder.is_finished()) {
        let stats = stats();
        add_up(&stats);
        assert!(stats.waiting <= (THREADS + 1) * RING, "{stats:?}");
        assert!(stats.reporters[0].waiting <= QUEUE + BATCH, "{stats:?}");
        thread::yield_now();
    }
    for recorder in recorders {
        recorder.join().unwrap();
    }
    // The million was through while the reporter was at its first few thousand.
    assert!(seen.load(Ordering::Relaxed) < THREADS * SPANS / 2);

    assert_eq!(kamon.flush(), Flush::Complete);
    let stats = stats();
    add_up(&stats);
    assert_eq!((stats.recorded, stats.waiting), (THREADS * SPANS, 0));
    let slow = &stats.reporters[0];
    assert_eq!(
        (slow.waiting, slow.reported),
        (0, seen.load(Ordering::Relaxed))
    );
    assert!(slow.dropped.because(DropReason::QueueFull) > 0, "{stats:?}");
}
