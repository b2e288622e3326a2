//! At the shutdown the account is exact, whatever is still going on, and reporting can begin anew.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{channel, Receiver};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kamon::report::{stats, DropReason, Flush, ReportError, SpanReporter};
use kamon::trace::SpanRecord;
use kamon::Config;

/// Counts what it sees, and notes how it ends.
struct Counting {
    seen: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
}

impl SpanReporter for Counting {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        assert!(!self.stopped.load(Ordering::SeqCst));
        self.seen.fetch_add(spans.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    fn stop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    fn name(&self) -> &str {
        "counting"
    }
}

/// Never comes back from its first call, until the test is over.
struct Stuck(Receiver<()>);

impl SpanReporter for Stuck {
    fn report(&mut self, _spans: &[SpanRecord]) -> Result<(), ReportError> {
        let _ = self.0.recv();
        Ok(())
    }

    fn name(&self) -> &str {
        "stuck"
    }
}

fn record(number: u64) {
    (0..number).for_each(|_| kamon::build_span("work").start().finish());
}

#[test]
fn everything_is_accounted_for_and_it_can_begin_anew() {
    let seen = Arc::new(AtomicU64::new(0));
    let stopped = Arc::new(AtomicBool::new(false));
    let counting = || Counting {
        seen: seen.clone(),
        stopped: stopped.clone(),
    };
    let (end, over) = channel();
    let config = Config::new()
        .patience(Duration::from_millis(200))
        .span_reporter(counting())
        .span_reporter(Stuck(over));
    let kamon = kamon::init(config).unwrap();
    record(10);
    assert_eq!(kamon.flush(), Flush::TimedOut, "one is stuck");
    assert_eq!(stats().reporters[1].waiting, 10);

    // Threads go on recording while reporting ends.
    let go_on = Arc::new(AtomicBool::new(true));
    let recorders: Vec<_> = (0..3)
        .map(|_| {
            let go_on = go_on.clone();
            thread::spawn(move || {
                let mut number = 0;
                while go_on.load(Ordering::SeqCst) {
                    record(1);
                    number += 1;
                }
                number
            })
        })
        .collect();
    assert_eq!(kamon.shutdown(), Flush::TimedOut, "one is still stuck");
    assert!(stopped.load(Ordering::SeqCst));
    // So that some come too late in any case.
    record(5);
    go_on.store(false, Ordering::SeqCst);
    let recorded: u64 = recorders.into_iter().map(|it| it.join().unwrap()).sum();

    let first = stats();
    assert_eq!(first.recorded, 10 + recorded + 5);
    assert_eq!(first.waiting, 0);
    assert_eq!(
        first.recorded,
        first.reported + first.dropped.total(),
        "{first:?}"
    );
    assert!(first.dropped.because(DropReason::Closed) >= 5, "{first:?}");
    let (counting_stats, stuck) = (&first.reporters[0], &first.reporters[1]);
    assert_eq!(counting_stats.reported, seen.load(Ordering::SeqCst));
    assert_eq!(counting_stats.handed, counting_stats.reported);
    assert_eq!(stuck.handed, first.reported);
    let late = stuck.dropped.because(DropReason::Shutdown);
    let full = stuck.dropped.because(DropReason::QueueFull);
    assert_eq!(
        (stuck.reported, late + full),
        (0, stuck.handed),
        "{first:?}"
    );

    // The one that was stuck comes back: it was counted, and is not counted again.
    drop(end);
    assert_eq!(
        kamon::shutdown(),
        Flush::Complete,
        "a second time there is nothing to do"
    );
    assert_eq!(stats(), first);

    // Anew.
    stopped.store(false, Ordering::SeqCst);
    let before = seen.load(Ordering::SeqCst);
    let kamon = kamon::init(Config::new().span_reporter(counting())).unwrap();
    record(7);
    assert_eq!(kamon.flush(), Flush::Complete);
    let second = stats();
    assert_eq!(seen.load(Ordering::SeqCst), before + 7);
    assert_eq!(second.recorded, first.recorded + 7);
    assert_eq!(second.reported, first.reported + 7);
    assert_eq!(second.reporters.len(), 1);
}
