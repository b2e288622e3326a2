//! Recording allocates nothing, once an instrument and the thread know each other.

mod counting;

use std::time::Duration;

use counting::counted;
use kamon::metrics;

/// Allocations of the second of two same runs.
fn allocations(mut run: impl FnMut()) -> usize {
    run();
    counted(run).0
}

#[test]
fn recording_allocates_nothing() {
    let counter = metrics::counter("allocations").with_tag("a", 1);
    let gauge = metrics::gauge("allocations").with_tag("a", 1);
    let histogram = metrics::histogram("allocations").with_tag("a", 1);
    let timer = metrics::timer("allocations").with_tag("a", 1);
    let range = metrics::range_sampler("allocations").with_tag("a", 1);
    let table: [(&str, &dyn Fn()); 8] = [
        ("counter", &|| counter.increment()),
        ("gauge", &|| gauge.update(1.5)),
        ("gauge, added to", &|| gauge.add(1.5)),
        ("histogram", &|| histogram.record(123_456)),
        ("beyond the range", &|| histogram.record(u64::MAX)),
        ("timer", &|| timer.record(Duration::from_micros(3))),
        ("a clone", &|| timer.clone().record_nanos(5)),
        ("range sampler", &|| {
            range.increment();
            range.decrement();
        }),
    ];
    for (what, record) in table {
        assert_eq!(allocations(record), 0, "{what}");
    }
}

#[test]
fn spans_are_measured_without_allocating_for_it() {
    let finish = |measured: bool| {
        let span = kamon::build_span("measured").ignore_parent_from_context();
        let span = if measured {
            span
        } else {
            span.disable_metrics()
        };
        span.start().finish();
    };
    // What spans themselves cost, with the rings they go to, is the same for both.
    for _ in 0..100 {
        finish(true);
        finish(false);
    }
    let not_measured = allocations(|| finish(false));
    assert_eq!(allocations(|| finish(true)), not_measured);
}
