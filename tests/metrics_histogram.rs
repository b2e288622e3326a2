//! A histogram keeps two significant digits: it says what HdrHistogram says.

use std::sync::atomic::{AtomicUsize, Ordering};

use hdrhistogram::Histogram as Hdr;
use kamon::metrics::{self, Distribution};
use kamon::time::Duration;
use proptest::prelude::*;

/// Records the values, a part of them from other threads, and returns their distribution.
fn distribution(values: &[u64]) -> Distribution {
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    let name = format!("hdr-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut subscription = metrics::subscribe(name.clone(), Duration::from_secs(60));
    let histogram = metrics::histogram(name.clone());
    let (here, elsewhere) = values.split_at(values.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| elsewhere.iter().for_each(|value| histogram.record(*value)));
        here.iter().for_each(|value| histogram.record(*value));
        other.join().unwrap();
    });
    let period = subscription.snapshot();
    assert!(histogram.remove() || values.is_empty());
    period.histogram(&name).unwrap_or_default()
}

fn hdr(values: &[u64]) -> Hdr<u64> {
    let mut hdr = Hdr::new_with_bounds(1, Distribution::HIGHEST, 2).unwrap();
    values.iter().for_each(|value| hdr.record(*value).unwrap());
    hdr
}

/// Values of all magnitudes alike.
fn value() -> impl Strategy<Value = u64> {
    (0..=42_u32, any::<u64>()).prop_map(|(bits, random)| random & ((1 << bits) - 1))
}

fn assert_same(ours: &Distribution, hdr: &Hdr<u64>) {
    assert_eq!(ours.count(), hdr.len());
    let buckets: Vec<_> = ours
        .buckets()
        .map(|bucket| (bucket.highest, bucket.count))
        .collect();
    let theirs: Vec<_> = hdr
        .iter_recorded()
        .map(|step| (step.value_iterated_to(), step.count_at_value()))
        .collect();
    assert_eq!(buckets, theirs);
    for percent in [0.0, 1.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 100.0] {
        let theirs = hdr.value_at_percentile(percent);
        assert_eq!(ours.percentile(percent), theirs, "{percent}");
    }
    if ours.count() > 0 {
        assert_eq!(hdr.lowest_equivalent(hdr.min()), ours.min());
        assert_eq!(hdr.highest_equivalent(hdr.max()), ours.max());
        assert!((ours.mean() - hdr.mean()).abs() <= hdr.mean() * 1e-9);
    }
}

proptest! {
    #[test]
    fn of_any_values(values in proptest::collection::vec(value(), 1..200)) {
        assert_same(&distribution(&values), &hdr(&values));
    }

    #[test]
    fn no_value_is_off_by_more_than_a_hundredth(value in value()) {
        let seen = distribution(&[value]);
        prop_assert!(seen.min() <= value && value <= seen.max());
        prop_assert!((seen.max() - seen.min()) * 100 <= value);
        prop_assert!(seen.sum().abs_diff(value) * 200 <= value);
    }

    #[test]
    fn of_two_that_are_merged(
        one in proptest::collection::vec(value(), 1..50),
        other in proptest::collection::vec(value(), 0..50),
    ) {
        let mut ours = distribution(&one);
        ours.merge(&distribution(&other));
        let mut theirs = hdr(&one);
        theirs.add(hdr(&other)).unwrap();
        assert_same(&ours, &theirs);
    }
}

#[test]
fn values_above_the_range_are_counted_and_known_to_be_great() {
    let highest = Distribution::HIGHEST;
    let seen = distribution(&[1, highest, highest + 1, u64::MAX]);
    assert_eq!(seen.count(), 4);
    assert_eq!(seen.above_range(), 2);
    assert_eq!((seen.min(), seen.max()), (1, highest));
    assert_eq!(seen.percentile(100.0), highest);
    assert_eq!(seen.buckets().map(|bucket| bucket.count).sum::<u64>(), 2);

    let mut twice = seen.clone();
    twice.merge(&seen);
    assert_eq!((twice.count(), twice.above_range()), (8, 4));
}

/// A rank that is a whole number is not rounded up to the one after it.
#[test]
fn a_percentile_is_the_least_value_that_so_many_do_not_exceed() {
    let mut subscription = metrics::subscribe("percentile", Duration::from_secs(60));
    let histogram = metrics::histogram("percentile");
    (1..=100).for_each(|value| histogram.record(value));
    let hundred = subscription.snapshot().histogram("percentile").unwrap();
    for percent in 1..=100_u32 {
        let value = hundred.percentile(f64::from(percent));
        assert_eq!(value, u64::from(percent));
    }
    // And one that is hardly more than one is.
    assert_eq!(hundred.percentile(54.999), 55);
    assert_eq!(hundred.percentile(55.000_001), 56);

    for count in 1..=2000 {
        // Ones, and only the last is another.
        histogram.record_times(1, count - 1);
        histogram.record(200);
        let seen = subscription.snapshot().histogram("percentile").unwrap();
        for thousandths in [1, 7, 29, 550, 570, 580, 990, 999] {
            let rank = (count * thousandths).div_ceil(1000);
            let expected = if rank < count { 1 } else { 200 };
            let value = seen.percentile(thousandths as f64 / 10.0);
            assert_eq!(value, expected, "{thousandths} of {count}");
        }
    }
}

#[test]
fn of_nothing() {
    let nothing = Distribution::default();
    assert!(nothing.is_empty());
    assert_eq!((nothing.count(), nothing.sum()), (0, 0));
    assert_eq!((nothing.min(), nothing.max()), (0, 0));
    assert_eq!(nothing.percentile(99.0), 0);
    assert_eq!(nothing.mean(), 0.0);
}
