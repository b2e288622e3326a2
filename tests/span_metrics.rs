//! Every span is measured, sampled or not: `span.processing-time`, by what it did and for whom.

mod traced;

use std::time::{Duration, Instant};

use kamon::metrics::{subscribe, Distribution, InstrumentSnapshot, PeriodSnapshot, Value};
use kamon::{SamplingDecision, Span, SpanBuilder};

/// What was measured since a point in time, by all tests of this process: each uses names of its
/// own.
struct Measured(kamon::metrics::Subscription);

impl Measured {
    fn begin() -> Self {
        Measured(subscribe("span.*", Duration::from_secs(3600)))
    }

    fn end(mut self) -> PeriodSnapshot {
        self.0.snapshot()
    }
}

/// The series of `metric` whose operation is this, each as `tag=value` in the order of the tags'
/// names without the operation itself.
fn series(period: &PeriodSnapshot, metric: &str, operation: &str) -> Vec<(String, u64)> {
    let mut found: Vec<_> = instruments(period, metric, operation)
        .map(|instrument| {
            let tags = instrument.tags().iter();
            let tags = tags.filter(|(key, _)| *key != "operation");
            let mut tags: Vec<String> = tags.map(|(key, value)| format!("{key}={value}")).collect();
            tags.sort();
            (tags.join(" "), distribution(instrument).count())
        })
        .collect();
    found.sort();
    found
}

fn instruments<'a>(
    period: &'a PeriodSnapshot,
    metric: &'a str,
    operation: &'a str,
) -> impl Iterator<Item = &'a InstrumentSnapshot> {
    period.instruments().iter().filter(move |instrument| {
        instrument.name() == metric
            && instrument
                .tags()
                .iter()
                .any(|(key, value)| (key, value) == ("operation", operation))
            && distribution(instrument).count() > 0
    })
}

fn distribution(instrument: &InstrumentSnapshot) -> &Distribution {
    match instrument.value() {
        Value::Distribution(distribution) => distribution,
        other => panic!("a timer, not {other:?}"),
    }
}

/// A rule: what is done with a span, and the series that come of it.
struct Rule {
    name: &'static str,
    operation: &'static str,
    act: fn(SpanBuilder),
    series: &'static [(&'static str, u64)],
}

fn parent() -> Span {
    kamon::build_span("the parent").disable_metrics().start()
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule {
        name: "a span is measured by operation and error",
        operation: "m plain",
        act: |it| it.start().finish(),
        series: &[("error=false", 1)],
    },
    Rule {
        name: "an error is told apart",
        operation: "m failed",
        act: |it| { it.start().fail("so").finish(); },
        series: &[("error=true", 1)],
    },
    Rule {
        name: "so is the parent",
        operation: "m child",
        act: |it| { let parent = parent(); it.as_child_of(&parent).start().finish(); },
        series: &[("error=false parentOperation=the parent", 1)],
    },
    Rule {
        name: "a parent that is not here is none",
        operation: "m remote",
        act: |it| {
            let ids = (kamon::TraceId::random(), kamon::SpanId::random());
            let remote = Span::remote(kamon::SpanContext::new(ids.0, ids.1));
            it.as_child_of(&remote).start().finish();
        },
        series: &[("error=false", 1)],
    },
    Rule {
        name: "a parent is called what it is called at the end",
        operation: "m renamed parent",
        act: |it| {
            let parent = parent();
            let span = it.as_child_of(&parent).start();
            parent.set_operation_name("renamed");
            parent.set_operation_name(format!("renamed {}", "twice"));
            span.finish();
        },
        series: &[("error=false parentOperation=renamed twice", 1)],
    },
    Rule {
        name: "a parent that is gone is called what it was called",
        operation: "m orphan",
        act: |it| {
            // Not sampled, so that the place where it lived is free at once, and others live there.
            let quiet = |name| kamon::build_span(name).with_sampling(SamplingDecision::DoNotSample).disable_metrics();
            let parent = quiet("the parent").start();
            let span = it.as_child_of(&parent).start();
            parent.finish();
            drop(parent);
            for _ in 0..200 { quiet("m other").start().set_operation_name("not this").finish(); }
            span.finish();
        },
        series: &[("error=false parentOperation=the parent", 1)],
    },
    Rule {
        name: "a parent's name may be made at run time",
        operation: "m owned parent",
        act: |it| {
            let parent = kamon::build_span(format!("parent {}", 7)).disable_metrics().start();
            it.as_child_of(&parent).start().finish();
        },
        series: &[("error=false parentOperation=parent 7", 1)],
    },
    Rule {
        name: "metric tags are tags",
        operation: "m tagged",
        act: |it| {
            it.with_metric_tag("component", "netty.server").with_metric_tag("shard", 3).start()
                .tag_metric("algorithm", "expensive").tag_metric("shard", 4)
                .tag("not", "a metric tag")
                .finish();
        },
        series: &[("algorithm=expensive component=netty.server error=false shard=4", 1)],
    },
    Rule {
        name: "a metric tag may take the place of one of ours",
        operation: "m reserved",
        act: |it| it.with_metric_tag("error", "maybe").start().finish(),
        series: &[("error=maybe", 1)],
    },
    Rule {
        name: "sampling changes nothing",
        operation: "m not sampled",
        act: |it| {
            let span = it.with_sampling(SamplingDecision::DoNotSample).start();
            kamon::with_span(&span, || kamon::build_span("m not sampled").start().fail("x").finish());
            span.finish();
        },
        series: &[("error=false", 1), ("error=true parentOperation=m not sampled", 1)],
    },
    Rule {
        name: "metrics are off where the builder says so",
        operation: "m off",
        act: |it| it.disable_metrics().start().finish(),
        series: &[],
    },
    Rule {
        name: "and on again where the span says so",
        operation: "m on again",
        act: |it| { it.disable_metrics().start().enable_metrics().finish(); },
        series: &[("error=false", 1)],
    },
    Rule {
        name: "but not once it is finished",
        operation: "m too late",
        act: |it| {
            let span = it.disable_metrics().start();
            span.finish();
            span.enable_metrics();
        },
        series: &[],
    },
    Rule {
        name: "the last word before the finish counts",
        operation: "m off at last",
        act: |it| { it.start().disable_metrics().enable_metrics().disable_metrics().finish(); },
        series: &[],
    },
    Rule {
        name: "a span is measured under its last name",
        operation: "m last name",
        act: |_| { kamon::build_span("m first name").start().set_operation_name("m last name").finish(); },
        series: &[("error=false", 1)],
    },
    Rule {
        name: "a span is measured once",
        operation: "m once",
        act: |it| {
            let span = it.start();
            span.finish();
            span.finish();
        },
        series: &[("error=false", 1)],
    },
    Rule {
        name: "a span that nobody finished has no processing time",
        operation: "m unfinished",
        act: |it| drop(it.start()),
        series: &[],
    },
    Rule {
        name: "each span of a kind is in its series",
        operation: "m thousand",
        act: |_| (0..1000).for_each(|_| kamon::build_span("m thousand").start().finish()),
        series: &[("error=false", 1000)],
    },
];

#[test]
fn rules() {
    for rule in RULES {
        let measured = Measured::begin();
        (rule.act)(kamon::build_span(rule.operation));
        let period = measured.end();
        let found = series(&period, "span.processing-time", rule.operation);
        let expected: Vec<(String, u64)> = rule
            .series
            .iter()
            .map(|(tags, count)| (tags.to_string(), *count))
            .collect();
        assert_eq!(found, expected, "{}", rule.name);
    }
}

/// The time that the only series of this metric and operation shows.
fn time(period: &PeriodSnapshot, metric: &str, operation: &str) -> Duration {
    let mut found = instruments(period, metric, operation);
    let instrument = found.next().expect("a series");
    assert!(found.next().is_none());
    Duration::from_nanos(distribution(instrument).max())
}

/// Asserts that a time is what it should be but for the precision of timers and the time between
/// the readings of two clocks.
#[track_caller]
fn assert_near(time: Duration, expected: Duration) {
    let off = time.abs_diff(expected);
    assert!(off < expected / 20, "{time:?} is not {expected:?}");
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn the_time_is_from_start_to_finish() {
    let measured = Measured::begin();
    let start = Instant::now();
    let span = kamon::build_span("m times").with_from(start).start();
    span.finish_at(start + 20 * MINUTE);
    let period = measured.end();
    assert_near(
        time(&period, "span.processing-time", "m times"),
        20 * MINUTE,
    );
}

#[test]
fn a_delayed_span_has_three_times() {
    let measured = Measured::begin();
    let made = Instant::now();
    let delayed = kamon::build_span("m delayed").with_from(made).delay();
    delayed.tag("it", "can be tagged meanwhile");
    let span = delayed.start_at(made + 10 * MINUTE);
    span.finish_at(made + 40 * MINUTE);
    let period = measured.end();
    assert_near(time(&period, "span.wait-time", "m delayed"), 10 * MINUTE);
    assert_near(
        time(&period, "span.processing-time", "m delayed"),
        30 * MINUTE,
    );
    assert_near(time(&period, "span.elapsed-time", "m delayed"), 40 * MINUTE);

    let record = traced::record_of(&span);
    assert_near(record.duration(), 40 * MINUTE);
    let marks: Vec<&str> = record.marks.iter().map(|mark| &*mark.key).collect();
    assert_eq!(marks, ["span.started"]);
    let waited = record.marks[0].at.duration_since(record.started_at);
    assert_near(waited.unwrap(), 10 * MINUTE);
}

#[test]
fn a_delayed_span_that_never_began_has_only_waited() {
    let measured = Measured::begin();
    let made = Instant::now();
    let delayed = kamon::build_span("m never began").with_from(made).delay();
    delayed.finish_at(made + 10 * MINUTE);
    let period = measured.end();
    assert_near(
        time(&period, "span.wait-time", "m never began"),
        10 * MINUTE,
    );
    assert_eq!(series(&period, "span.processing-time", "m never began"), []);
    assert_eq!(series(&period, "span.elapsed-time", "m never began"), []);
}

#[test]
fn threads_measure_what_they_do_together() {
    let measured = Measured::begin();
    std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| {
            scope.spawn(|| {
                for number in 0..500 {
                    let span = kamon::build_span("m together").start();
                    if number % 5 == 0 {
                        span.fail("every fifth");
                    }
                    span.finish();
                }
            })
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    let period = measured.end();
    assert_eq!(
        series(&period, "span.processing-time", "m together"),
        [
            ("error=false".to_string(), 1600),
            ("error=true".to_string(), 400)
        ]
    );
}
