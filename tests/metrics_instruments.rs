//! The instruments do what Kamon's do: one rule after another.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use kamon::metrics::{self, Kind, Subscription, Unit, Value};
use kamon::time::Duration;

fn subscribe(pattern: &'static str) -> Subscription {
    metrics::subscribe(pattern, Duration::from_secs(86_400))
}

/// The instruments of the next snapshot, a line each.
fn lines(subscription: &mut Subscription) -> Vec<String> {
    let period = subscription.snapshot();
    let line = |one: &metrics::InstrumentSnapshot| {
        let value = match one.value() {
            Value::Count(count) => count.to_string(),
            Value::Level(level) => level.to_string(),
            Value::Distribution(seen) => {
                format!("{} from {} to {}", seen.count(), seen.min(), seen.max())
            }
            Value::Range(range) => {
                let (min, max) = (range.samples.min(), range.samples.max());
                format!("{min} to {max}, now {}", range.current)
            }
            other => panic!("{other:?}"),
        };
        format!("{}{} {} {value}", one.name(), one.tags(), one.kind())
    };
    period.instruments().iter().map(line).collect()
}

#[test]
fn a_counter_counts_what_happens_in_a_period() {
    let mut seen = subscribe("rule.counter");
    let counter = metrics::counter("rule.counter");
    counter.increment();
    counter.increment_by(41);
    assert_eq!(lines(&mut seen), ["rule.counter{} counter 42"]);
    assert_eq!(lines(&mut seen), ["rule.counter{} counter 0"]);
    counter.increment();
    assert_eq!(lines(&mut seen), ["rule.counter{} counter 1"]);
}

#[test]
fn a_gauge_shows_what_is_now() {
    let mut seen = subscribe("rule.gauge");
    let gauge = metrics::gauge("rule.gauge");
    gauge.update(2.5);
    gauge.increment();
    gauge.add(-3.0);
    gauge.decrement();
    assert_eq!(lines(&mut seen), ["rule.gauge{} gauge -0.5"]);
    assert_eq!(lines(&mut seen), ["rule.gauge{} gauge -0.5"]);
}

#[test]
fn a_histogram_keeps_values() {
    let mut seen = subscribe("rule.histogram");
    let histogram = metrics::histogram("rule.histogram");
    histogram.record(10);
    histogram.record_times(20, 2);
    let expected = ["rule.histogram{} histogram 3 from 10 to 20"];
    assert_eq!(lines(&mut seen), expected);
    let expected = ["rule.histogram{} histogram 0 from 0 to 0"];
    assert_eq!(lines(&mut seen), expected);
}

#[test]
fn a_timer_keeps_durations() {
    let mut seen = subscribe("rule.timer");
    let timer = metrics::timer("rule.timer");
    timer.record(Duration::from_nanos(200));
    timer.record_nanos(100);
    // Not stopped: records nothing.
    drop(timer.start());
    assert_eq!(lines(&mut seen), ["rule.timer{} timer 2 from 100 to 200"]);

    timer.start().stop();
    let period = seen.snapshot();
    assert_eq!(period.timer("rule.timer").unwrap().count(), 1);
    assert_eq!(period.instruments()[0].unit(), Unit::Nanoseconds);

    timer.record(Duration::MAX);
    assert_eq!(
        seen.snapshot().timer("rule.timer").unwrap().above_range(),
        1
    );
}

#[test]
fn a_range_sampler_keeps_how_far_a_number_went() {
    let mut seen = subscribe("rule.range");
    let range = metrics::range_sampler("rule.range");
    range.increment_by(7);
    range.decrement_by(5);
    range.increment();
    assert_eq!(
        lines(&mut seen),
        ["rule.range{} range-sampler 0 to 7, now 3"]
    );
    // Where it stands is all there is of a quiet period.
    assert_eq!(
        lines(&mut seen),
        ["rule.range{} range-sampler 3 to 3, now 3"]
    );
    range.decrement();
    range.increment();
    assert_eq!(
        lines(&mut seen),
        ["rule.range{} range-sampler 2 to 3, now 3"]
    );
    range.decrement_by(10);
    assert_eq!(
        lines(&mut seen),
        ["rule.range{} range-sampler 0 to 3, now -7"]
    );
    range.increment_by(9);
    range.sample();
    range.decrement_by(2);
    assert_eq!(
        lines(&mut seen),
        ["rule.range{} range-sampler 0 to 2, now 0"]
    );
}

#[test]
fn a_peak_is_in_the_period_of_each_subscriber() {
    let mut often = subscribe("rule.peak");
    let mut seldom = subscribe("rule.peak");
    let range = metrics::range_sampler("rule.peak");
    for peak in [3, 9, 4] {
        range.increment_by(peak);
        range.decrement_by(peak);
        let expected = format!("rule.peak{{}} range-sampler 0 to {peak}, now 0");
        assert_eq!(lines(&mut often), [expected]);
    }
    assert_eq!(
        lines(&mut seldom),
        ["rule.peak{} range-sampler 0 to 9, now 0"]
    );
    assert_eq!(
        lines(&mut seldom),
        ["rule.peak{} range-sampler 0 to 0, now 0"]
    );
}

#[test]
fn tags_make_instruments() {
    let mut seen = subscribe("rule.tags");
    let metric = metrics::counter("rule.tags");
    let tagged = metric.with_tag("b", true).with_tag("a", "x");
    tagged.increment();
    // In another order, made anew: the same instrument.
    let again = metrics::counter("rule.tags").with_tag("a", "x");
    again.with_tag("b", "true").increment();
    // A tag that is set again is replaced.
    tagged.with_tag("a", 7).increment_by(5);
    tagged.without_tags().increment_by(9);
    let expected = [
        "rule.tags{} counter 9",
        "rule.tags{a=\"7\", b=\"true\"} counter 5",
        "rule.tags{a=\"x\", b=\"true\"} counter 2",
    ];
    assert_eq!(lines(&mut seen), expected);
}

#[test]
fn an_instrument_comes_with_its_first_recording() {
    let mut seen = subscribe("rule.first");
    let counter = metrics::counter("rule.first").with_tag("a", 1);
    let clone = counter.clone();
    assert!(lines(&mut seen).is_empty());
    clone.increment();
    assert_eq!(lines(&mut seen), ["rule.first{a=\"1\"} counter 1"]);
    counter.increment();
    assert_eq!(lines(&mut seen), ["rule.first{a=\"1\"} counter 1"]);
    assert_eq!(format!("{counter:?}"), "Counter(rule.first{a=\"1\"})");
}

#[test]
fn a_removed_instrument_is_seen_once_more() {
    let mut seen = subscribe("rule.removed");
    let old = metrics::counter("rule.removed");
    old.increment_by(3);
    assert_eq!(lines(&mut seen), ["rule.removed{} counter 3"]);
    old.increment_by(4);
    assert!(old.remove());
    assert!(!old.remove());
    // Into nothing, as far as it comes after the removal; what is new is another one.
    metrics::counter("rule.removed").increment_by(10);
    assert_eq!(lines(&mut seen), ["rule.removed{} counter 14"]);
    old.increment_by(1000);
    assert_eq!(lines(&mut seen), ["rule.removed{} counter 0"]);
    assert!(metrics::counter("rule.removed").remove());
    assert_eq!(lines(&mut seen), ["rule.removed{} counter 0"]);
    assert!(lines(&mut seen).is_empty());
}

#[test]
fn one_name_may_be_of_several_kinds() {
    let mut seen = subscribe("rule.kinds");
    metrics::counter("rule.kinds").increment();
    metrics::gauge("rule.kinds").update(2.0);
    metrics::histogram("rule.kinds").record(3);
    let period = seen.snapshot();
    let kinds: Vec<Kind> = period.named("rule.kinds").map(|one| one.kind()).collect();
    assert_eq!(kinds, [Kind::Counter, Kind::Gauge, Kind::Histogram]);
    assert_eq!(period.counter("rule.kinds"), Some(1));
    assert_eq!(period.gauge("rule.kinds"), Some(2.0));
    assert_eq!(period.histogram("rule.kinds").unwrap().sum(), 3);
    assert_eq!(period.counter("rule.kind"), None);
}

#[test]
fn the_first_to_describe_a_metric_is_believed() {
    let mut seen = subscribe("rule.described");
    let sizes = metrics::histogram("rule.described")
        .with_unit(Unit::Bytes)
        .with_description("how long answers are");
    let _ = metrics::histogram("rule.described")
        .with_unit(Unit::Seconds)
        .with_description("something else");
    sizes.with_tag("a", 1).record(1);
    let period = seen.snapshot();
    let one = period.named("rule.described").next().unwrap();
    assert_eq!(one.unit(), Unit::Bytes);
    assert_eq!(one.description(), "how long answers are");
    assert_eq!(one.tags().get("a"), Some("1"));
}

#[test]
fn what_is_kept_elsewhere_is_asked_for() {
    let mut seen = subscribe("rule.observed.*");
    let number = Arc::new(AtomicU64::new(100));
    let read = |number: &Arc<AtomicU64>| {
        let number = number.clone();
        move || number.load(Ordering::Relaxed)
    };
    let counter = metrics::counter("rule.observed.counter");
    let observation = counter.observe(read(&number));
    let level = read(&number);
    let gauge = metrics::gauge("rule.observed.gauge");
    gauge.observe(move || level() as f64).forever();
    let expect = |seen: &mut Subscription, count: u64, level: u64| {
        let expected = [
            format!("rule.observed.counter{{}} counter {count}"),
            format!("rule.observed.gauge{{}} gauge {level}"),
        ];
        assert_eq!(lines(seen), expected);
    };

    expect(&mut seen, 100, 100);
    number.store(130, Ordering::Relaxed);
    counter.increment();
    expect(&mut seen, 31, 130);
    // A counter does not go back.
    number.store(120, Ordering::Relaxed);
    expect(&mut seen, 0, 120);
    // Two sources are added up, and the last answer of one that goes is kept.
    let other = counter.observe(|| 1000);
    number.store(135, Ordering::Relaxed);
    drop(observation);
    number.store(999, Ordering::Relaxed);
    expect(&mut seen, 1005, 999);
    drop(other);
    expect(&mut seen, 0, 999);
}

/// A panic's payload whose destructor panics.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        // Of what is forgotten there must be no memory.
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn a_source_that_panics_has_not_changed() {
    let mut seen = subscribe("rule.panics");
    let number = Arc::new(AtomicU64::new(5));
    let read = number.clone();
    metrics::counter("rule.panics")
        .observe(move || match read.load(Ordering::Relaxed) {
            13 => std::panic::resume_unwind(Box::new("thirteen")),
            14 => std::panic::resume_unwind(Box::new(Grenade)),
            number => number,
        })
        .forever();
    for (now, grown) in [(5, 5), (13, 0), (14, 0), (20, 15)] {
        number.store(now, Ordering::Relaxed);
        let expected = format!("rule.panics{{}} counter {grown}");
        assert_eq!(lines(&mut seen), [expected]);
    }
}

#[test]
fn no_room_is_no_loss() {
    let mut seen = subscribe("rule.limit");
    let mut overflows = metrics::subscribe(
        metrics::Filter::name("kamon.metrics.overflows").with_tag("metric", "rule.limit"),
        Duration::from_secs(86_400),
    );
    let metric = metrics::counter("rule.limit").with_series_limit(2);
    let first = metric.with_tag("id", 0);
    for id in 0..10 {
        metric.with_tag("id", id).increment();
    }
    let expected = [
        "rule.limit{id=\"0\"} counter 1",
        "rule.limit{id=\"1\"} counter 1",
        "rule.limit{kamon.overflow=\"true\"} counter 8",
    ];
    assert_eq!(lines(&mut seen), expected);
    let name = "kamon.metrics.overflows";
    assert_eq!(overflows.snapshot().counter(name), Some(8));

    // Room that is given up is room again.
    assert!(first.remove());
    metric.with_tag("id", 10).increment();
    assert!(lines(&mut seen).contains(&"rule.limit{id=\"10\"} counter 1".to_owned()));
    assert_eq!(overflows.snapshot().counter(name), Some(0));
}

#[test]
fn an_interval_of_nothing_is_refused() {
    let zero = || drop(metrics::subscribe("rule.zero", Duration::ZERO));
    let refused = catch_unwind(AssertUnwindSafe(zero)).unwrap_err();
    let message = refused.downcast_ref::<&str>().unwrap();
    assert_eq!(*message, "the interval of a subscription is zero");
}

#[test]
fn what_was_repaired_of_contexts_is_counted() {
    static KEY: kamon::Key<u8> = kamon::Key::local("metrics of contexts", || 0);

    let mut seen = subscribe("kamon.context.*");
    let store = |value| kamon::store_context(kamon::Context::empty().with_key(&KEY, value));
    let (first, second) = (store(1), store(2));
    drop(first);
    let expected = [
        "kamon.context.alive{} gauge 1",
        "kamon.context.scopes.crossed-await{} counter 0",
        "kamon.context.scopes.forgotten{} counter 0",
        "kamon.context.scopes.out-of-order{} counter 1",
    ];
    assert_eq!(lines(&mut seen), expected);
    drop(second);
}
