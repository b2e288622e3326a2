//! Subscriptions: periods that follow one another, ticks, filters, and subscribers that are late.

use std::future::Future;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Instant, SystemTime};

use futures_lite::StreamExt;
use kamon::metrics::{self, Filter, PeriodSnapshot, Subscription};
use kamon::time::Duration;

const NEVER: Duration = Duration::from_secs(86_400);
const SOON: Duration = Duration::from_millis(20);

fn names(period: &PeriodSnapshot) -> Vec<String> {
    let name = |one: &metrics::InstrumentSnapshot| format!("{}{}", one.name(), one.tags());
    period.instruments().iter().map(name).collect()
}

/// Follows a counter for three ticks, in which it grows by three.
async fn follow(name: &'static str, mut subscription: Subscription) {
    let counter = metrics::counter(name);
    let mut before: Option<PeriodSnapshot> = None;
    let mut sum = 0;
    for _ in 0..3 {
        counter.increment();
        let period = subscription.next().await;
        sum += period.counter(name).unwrap();
        assert!(period.from() <= period.to());
        if let Some(before) = before {
            assert_eq!(before.to(), period.from(), "no gap between periods");
        }
        before = Some(period);
    }
    assert_eq!(sum, 3);
}

#[test]
fn ticks_come_in_any_executor() {
    let here = |name| follow(name, metrics::subscribe(name, SOON));
    kamon::block_on(here("ticks.kamon"));
    kamon::block_on(async { kamon::spawn(here("ticks.task")).await.unwrap() });
    futures_lite::future::block_on(here("ticks.elsewhere"));
    #[cfg(feature = "tokio")]
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(here("ticks.tokio"));
}

#[test]
fn a_subscription_is_a_stream() {
    let counter = metrics::counter("streamed");
    let subscription = metrics::subscribe("streamed", SOON);
    counter.increment_by(5);
    let periods = kamon::block_on(subscription.take(3).collect::<Vec<_>>());
    let counts = periods.iter().map(|period| period.counter("streamed"));
    assert_eq!(counts.flatten().sum::<u64>(), 5);
}

/// However late this thread is: there is a full interval of the clock on the wall in each period.
#[test]
fn periods_end_when_the_interval_is_full() {
    let interval = Duration::from_millis(50);
    let number = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        since.as_nanos() / interval.as_nanos()
    };
    let mut subscription = metrics::subscribe("aligned", interval);
    kamon::block_on(async {
        for _ in 0..5 {
            let period = subscription.next().await;
            assert!(number(period.from()) < number(period.to()), "{period:?}");
        }
    });
}

#[test]
fn who_comes_late_gets_one_long_period_and_a_count() {
    let interval = Duration::from_millis(5);
    let counter = metrics::counter("late");
    let mut late = metrics::subscribe("late", interval);
    let mut punctual = metrics::subscribe("late", NEVER);
    let mut skips = metrics::subscribe("kamon.metrics.skipped-ticks", NEVER);

    let start = Instant::now();
    let mut counted = 0;
    while start.elapsed() < interval * 5 {
        counter.increment();
        counted += 1;
        let _ = punctual.snapshot();
    }
    let period = kamon::block_on(late.next());
    assert_eq!(period.counter("late"), Some(counted));
    assert!(period.skipped_ticks() >= 3, "{period:?}");
    assert_eq!(late.skipped_ticks(), period.skipped_ticks());
    let name = "kamon.metrics.skipped-ticks";
    let skipped = skips.snapshot().counter(name).unwrap();
    assert!(skipped >= period.skipped_ticks());
}

#[test]
fn a_snapshot_at_once_loses_nothing_of_the_next_tick() {
    let counter = metrics::counter("at-once");
    let mut subscription = metrics::subscribe("at-once", SOON);
    kamon::block_on(async {
        counter.increment();
        let mut cx = TaskContext::from_waker(Waker::noop());
        let polled = pin!(subscription.next()).poll(&mut cx);
        // The future was dropped: nothing is lost with it.
        let period = match polled {
            Poll::Ready(period) => period,
            Poll::Pending => subscription.snapshot(),
        };
        assert_eq!(period.counter("at-once"), Some(1));
        counter.increment_by(2);
        assert_eq!(subscription.next().await.counter("at-once"), Some(2));
    });
}

#[test]
fn filters_choose_by_name_and_tag() {
    for (name, tag) in [("a.one", "x"), ("a.two", "xy"), ("b.one", "y")] {
        let counter = metrics::counter(format!("filter.{name}"));
        counter.increment();
        counter.with_tag("tag", tag).increment();
    }
    let all = || Filter::name("filter.*");
    let table: [(Filter, &[&str]); 6] = [
        (
            "filter.?.one".into(),
            &["a.one{}", "a.one{tag=\"x\"}", "b.one{}", "b.one{tag=\"y\"}"],
        ),
        (
            all().with_tag("tag", "x*"),
            &["a.one{tag=\"x\"}", "a.two{tag=\"xy\"}"],
        ),
        (all().with_tag("tag", "x"), &["a.one{tag=\"x\"}"]),
        (all().with_tag("gat", "*"), &[]),
        (all().except_name("*.a.*"), &["b.one{}", "b.one{tag=\"y\"}"]),
        (
            Filter::name("filter.a.two").or_name("filter.b.*"),
            &[
                "a.two{}",
                "a.two{tag=\"xy\"}",
                "b.one{}",
                "b.one{tag=\"y\"}",
            ],
        ),
    ];
    for (filter, expected) in table {
        let expected: Vec<_> = expected
            .iter()
            .map(|name| format!("filter.{name}"))
            .collect();
        let mut there = metrics::subscribe(filter.clone(), NEVER);
        assert_eq!(names(&there.snapshot()), expected, "{filter:?}");
    }
    // And so of what comes later.
    let mut later = metrics::subscribe(all().with_tag("tag", "late"), NEVER);
    let counter = metrics::counter("filter.late");
    counter.increment();
    counter.with_tag("tag", "late").increment();
    assert_eq!(names(&later.snapshot()), ["filter.late{tag=\"late\"}"]);
}

#[test]
fn every_name_and_one_more_is_every_name() {
    let tags = metrics::Tags::empty();
    let all = Filter::all().or_name("one.*").except_name("*.size");
    assert!(all.matches("one.more", &tags));
    assert!(all.matches("another", &tags));
    assert!(!all.matches("one.size", &tags));
    assert!(!Filter::name("one.*").matches("another", &tags));
}

#[test]
fn what_was_before_the_subscription_is_not_in_it() {
    let counter = metrics::counter("before");
    let histogram = metrics::histogram("before");
    counter.increment_by(100);
    histogram.record_times(7, 100);
    let mut subscription = metrics::subscribe("before", NEVER);
    counter.increment();
    histogram.record(8);
    let period = subscription.snapshot();
    assert_eq!(period.counter("before"), Some(1));
    let values = period.histogram("before").unwrap();
    assert_eq!((values.count(), values.min()), (1, 8));
}

#[test]
fn a_subscriber_that_never_looks_holds_a_bounded_number_of_instruments() {
    let mut idle = metrics::subscribe("come-and-go", NEVER);
    let mut busy = metrics::subscribe("come-and-go", NEVER);
    let metric = metrics::counter("come-and-go");
    let number = 3 * Subscription::MOST_UNSEEN as u64;
    let mut seen = 0;
    for id in 0..number {
        let counter = metric.with_tag("id", id);
        counter.increment();
        counter.remove();
        if id % 1000 == 0 {
            seen += busy.snapshot().counter("come-and-go").unwrap_or(0);
        }
    }
    seen += busy.snapshot().counter("come-and-go").unwrap_or(0);
    assert_eq!(seen, number, "who looks in time loses nothing");

    let period = idle.snapshot();
    let kept = period.instruments().len() as u64;
    assert!(kept <= Subscription::MOST_UNSEEN as u64);
    assert_eq!(period.counter("come-and-go"), Some(kept));
    assert_eq!(
        period.lost_series() + kept,
        number,
        "what is lost is counted"
    );
}

#[test]
fn instruments_are_gone_when_nobody_has_them() {
    use std::sync::Arc;

    let alive = Arc::new(());
    let witness = alive.clone();
    let counter = metrics::counter("gone");
    counter
        .observe(move || Arc::strong_count(&witness) as u64)
        .forever();
    let mut subscription = metrics::subscribe("gone", NEVER);
    assert_eq!(Arc::strong_count(&alive), 2);
    counter.remove();
    drop(counter);
    let _ = subscription.snapshot();
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_quiet_number_is_sampled_between_ticks() {
    let range = metrics::range_sampler("sampled");
    range.increment_by(3);
    let interval = Duration::from_millis(900);
    let mut subscription = metrics::subscribe("sampled", interval);
    kamon::block_on(async {
        let _ = subscription.next().await;
        let period = subscription.next().await;
        let range = period.range_sampler("sampled").unwrap();
        // Three values a sampling: one at the end, and more than that unless all were late.
        assert_eq!(range.count() % 3, 0);
        assert!(range.count() > 3 || period.skipped_ticks() > 0, "{range:?}");
        assert_eq!((range.min(), range.max()), (3, 3));
    });
}

/// By a clock that jumps: each sampling comes when it is due.
#[cfg(feature = "test-util")]
#[test]
fn a_new_number_is_sampled_in_its_first_period() {
    let mut builder = kamon::runtime::Builder::new_current_thread();
    let runtime = builder.start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut subscription = metrics::subscribe("sampled-anew", Duration::from_secs(60));
        let _ = subscription.next().await;
        // In the midst of a period in which there was nothing to sample.
        let anew = kamon::spawn(async {
            kamon::time::sleep(Duration::from_secs(5)).await;
            metrics::range_sampler("sampled-anew").increment_by(3);
        });
        let period = subscription.next().await;
        anew.await.unwrap();
        let range = period.range_sampler("sampled-anew").unwrap();
        // Three values a sampling, five samplings a second of at least half a minute.
        assert!(range.count() >= 3 * 5 * 20, "{range:?}");
        assert_eq!((range.min(), range.max()), (0, 3));
    });
}
