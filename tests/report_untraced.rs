//! What reporters do is not traced, nor what they spawn.

mod locks;

use std::sync::Arc;

use kamon::report::{ReportError, SpanReporter};
use kamon::trace::SpanRecord;
use locks::Mutex;

/// Makes spans while it reports, and lets others make them.
struct Busy(Arc<Mutex<Vec<bool>>>);

impl SpanReporter for Busy {
    fn report(&mut self, _spans: &[SpanRecord]) -> Result<(), ReportError> {
        let work = || {
            let span = kamon::build_span("own-work").start();
            let child = kamon::build_span("own-work")
                .ignore_parent_from_context()
                .start();
            child.finish();
            span.finish();
            span.is_sampled() || child.is_sampled()
        };
        let mut sampled = vec![work()];
        sampled.push(kamon::block_on(async { kamon::spawn(async move { work() }).await }).unwrap());
        sampled.push(kamon::block_on(kamon::spawn_blocking(work)).unwrap());
        sampled.push(std::thread::spawn(kamon::wrap(work)).join().unwrap());
        self.0.lock().unwrap().extend(sampled);
        Ok(())
    }
}

#[test]
fn reporters_do_not_report_themselves() {
    let sampled = Arc::new(Mutex::new(Vec::new()));
    let busy = kamon::add_span_reporter(Busy(sampled.clone()));
    assert_eq!(busy.name(), "Busy");
    for _ in 0..3 {
        kamon::build_span("users-work").start().finish();
        kamon::flush();
    }
    let stats = busy.stats();
    assert_eq!((stats.handed, stats.reported), (3, 3), "{stats:?}");
    assert_eq!(*sampled.lock().unwrap(), [false; 12]);
    let spans = kamon::recent_spans();
    assert!(spans.iter().all(|span| span.operation != "own-work"));
    assert_eq!(spans.len(), 3);
}
