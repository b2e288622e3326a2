//! A later configuration is in force at once.

use std::thread;
use std::time::{Duration, Instant};

use kamon::report::embedded;
use kamon::{Config, Span};

fn finished() -> Span {
    let span = kamon::build_span("work").start();
    span.finish();
    span
}

/// Waits until the drain has taken the span by itself: nobody here asks for it.
#[track_caller]
fn await_reported(span: &Span) {
    let limit = Instant::now() + Duration::from_secs(60);
    while embedded().trace(span.trace_id()).is_empty() {
        assert!(Instant::now() < limit, "nobody takes it out of its ring");
        thread::yield_now();
    }
}

#[test]
fn a_shorter_drain_interval_is_not_waited_for() {
    let hour = Duration::from_secs(3600);
    let _kamon = kamon::init(Config::new().drain_interval(hour)).unwrap();
    // A thread's first span calls the drain, which goes to sleep for an hour then.
    await_reported(&finished());
    let span = finished();
    let often = Duration::from_millis(1);
    let _kamon = kamon::init(Config::new().drain_interval(often)).unwrap();
    await_reported(&span);
    await_reported(&finished());
}
