//! The embedded reporter needs no configuration, and is read at any time.

use std::time::{Duration, Instant};

use kamon::report::{embedded, RingReporter};
use kamon::trace::SpanRecord;
use kamon::SpanId;

fn ids(spans: &[SpanRecord]) -> Vec<SpanId> {
    spans.iter().map(|span| span.id).collect()
}

#[test]
fn what_was_finished_is_found_without_configuration() {
    let request = kamon::build_span("report_ring.request").start();
    let query = kamon::build_span("report_ring.query")
        .as_child_of(&request)
        .start();
    query.fail("no such table").finish();
    request.finish();

    let recent = kamon::recent_spans();
    let of_trace = embedded().trace(request.trace_id());
    assert_eq!(ids(&of_trace), [query.id(), request.id()]);
    assert!(of_trace.iter().all(|span| recent.contains(span)));
    assert_eq!(
        ids(&embedded().operation("report_ring.query")),
        [query.id()]
    );
    assert!(ids(&embedded().failed()).contains(&query.id()));
    assert!(!ids(&embedded().failed()).contains(&request.id()));
}

#[test]
fn the_slowest_come_first() {
    let ring = RingReporter::new(100_000);
    let added = kamon::add_span_reporter(ring.clone());
    let now = Instant::now();
    // Longer than any other span of this process.
    for hours in [3, 1, 2] {
        let span = kamon::build_span("slow").with_from(now).start();
        span.finish_at(now + Duration::from_secs(hours * 3600 + 1800));
    }
    assert!(added.remove());
    let hours = |span: &SpanRecord| span.duration().as_secs() / 3600;
    let slowest: Vec<u64> = ring.slowest(2).iter().map(hours).collect();
    assert_eq!(slowest, [3, 2]);
    ring.clear();
    assert_eq!(ring.recent(), []);
}

#[test]
fn reading_stops_nobody() {
    let threads: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..300 {
                    kamon::build_span("busy").start().finish();
                }
            })
        })
        .collect();
    while threads.iter().any(|thread| !thread.is_finished()) {
        assert!(kamon::recent_spans().len() <= 4096);
        embedded().slowest(10);
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn what_a_thread_leaves_behind_is_found_when_it_is_gone() {
    // More threads at a time than have a ring of their own, several generations of them.
    for _ in 0..3 {
        let barrier = std::sync::Arc::new(std::sync::Barrier::new(150));
        let threads: Vec<_> = (0..150)
            .map(|_| {
                let barrier = barrier.clone();
                std::thread::spawn(move || {
                    let span = kamon::build_span("short-lived").start();
                    span.finish();
                    barrier.wait();
                    span.id()
                })
            })
            .collect();
        let finished: Vec<SpanId> = threads.into_iter().map(|it| it.join().unwrap()).collect();
        kamon::recent_spans();
        let found = ids(&embedded().operation("short-lived"));
        assert!(finished.iter().all(|id| found.contains(id)));
    }
}

#[test]
fn a_span_that_is_finished_when_its_thread_ends_is_found() {
    struct Last(Option<kamon::Span>);

    impl Drop for Last {
        fn drop(&mut self) {
            if let Some(span) = self.0.take() {
                span.finish();
            }
        }
    }

    thread_local! {
        static LAST: std::cell::RefCell<Last> = const { std::cell::RefCell::new(Last(None)) };
    }

    let id = std::thread::spawn(|| {
        let span = kamon::build_span("last-words").start();
        let id = span.id();
        // Its destructor runs after that of the thread's ring, which is made later.
        LAST.with(|last| last.borrow_mut().0 = Some(span));
        kamon::build_span("first-words").start().finish();
        id
    })
    .join()
    .unwrap();
    kamon::recent_spans();
    assert_eq!(ids(&embedded().operation("last-words")), [id]);
}
