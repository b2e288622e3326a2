//! How the values of one period are distributed.

use std::fmt;

use crate::metrics::buckets::{Bucket, HIGHEST};

/// The values that were recorded in a period, with two significant digits.
///
/// Values are known by their bucket, which is never wider than a 128th of the values in it, so that
/// everything here is off by less than one per cent; below 256 it is exact. Values above
/// [`Distribution::HIGHEST`] are counted, and known to be greater than that.
///
/// # Examples
///
/// ```
/// use kamon::metrics;
/// use std::time::Duration;
///
/// let mut subscription = metrics::subscribe("distribution.example", Duration::from_secs(60));
/// let sizes = metrics::histogram("distribution.example");
/// for size in 1..=100 {
///     sizes.record(size);
/// }
/// let snapshot = subscription.snapshot();
/// let sizes = snapshot.histogram("distribution.example").unwrap();
/// assert_eq!(sizes.count(), 100);
/// assert_eq!(sizes.sum(), 5050);
/// assert_eq!((sizes.min(), sizes.max()), (1, 100));
/// assert_eq!(sizes.percentile(50.0), 50);
/// assert_eq!(sizes.percentile(99.0), 99);
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    /// Ascending, with counts above zero.
    buckets: Vec<(Bucket, u64)>,
    beyond: u64,
}

/// Values that fell into one bucket of a [`Distribution`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BucketCount {
    /// The least value of the bucket.
    pub lowest: u64,
    /// The greatest value of the bucket.
    pub highest: u64,
    /// How many values fell into it.
    pub count: u64,
}

impl Distribution {
    /// The greatest value that is kept: 2^42 - 1. In nanoseconds, 73 minutes.
    pub const HIGHEST: u64 = HIGHEST;

    /// Returns how many values were recorded, those above the range among them.
    pub fn count(&self) -> u64 {
        let counts = self.buckets.iter().map(|(_, count)| count);
        counts.fold(self.beyond, |sum, count| sum.saturating_add(*count))
    }

    /// Returns how many values were above [`Distribution::HIGHEST`].
    pub fn above_range(&self) -> u64 {
        self.beyond
    }

    /// Returns whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty() && self.beyond == 0
    }

    /// Returns the sum of all values. Each counts as the middle of its bucket, and those above the
    /// range as its end.
    pub fn sum(&self) -> u64 {
        let sums = self
            .buckets
            .iter()
            .map(|(bucket, count)| bucket.middle().saturating_mul(*count));
        sums.fold(HIGHEST.saturating_mul(self.beyond), u64::saturating_add)
    }

    /// Returns the mean of all values, or zero if there are none.
    pub fn mean(&self) -> f64 {
        match self.count() {
            0 => 0.0,
            count => self.sum() as f64 / count as f64,
        }
    }

    /// Returns the least value, as the low end of its bucket; zero if there is none.
    pub fn min(&self) -> u64 {
        match self.buckets.first() {
            Some((bucket, _)) => bucket.lowest(),
            None if self.beyond > 0 => HIGHEST,
            None => 0,
        }
    }

    /// Returns the greatest value, as the high end of its bucket; zero if there is none.
    pub fn max(&self) -> u64 {
        match self.buckets.last() {
            _ if self.beyond > 0 => HIGHEST,
            Some((bucket, _)) => bucket.highest(),
            None => 0,
        }
    }

    /// Returns the least value that so many per cent of all values do not exceed, as the high end of
    /// its bucket; zero if there is none. At 0 that is [`min`](Distribution::min); below it counts as
    /// 0, above 100 as 100.
    pub fn percentile(&self, percent: f64) -> u64 {
        let count = self.count();
        if count == 0 {
            return 0;
        }
        let percent = percent.clamp(0.0, 100.0);
        if percent <= 0.0 {
            return self.min();
        }
        let exact = count as f64 * percent / 100.0;
        // What is a whole number may have been rounded up to a little more than that: once as a
        // percentage that has no end in binary, once in each of the two steps.
        let error = (exact * 2.0 * f64::EPSILON).min(0.5);
        let rank = (exact - error).ceil() as u64;
        let rank = rank.clamp(1, count);
        let mut passed = 0_u64;
        for (bucket, count) in &self.buckets {
            passed = passed.saturating_add(*count);
            if passed >= rank {
                return bucket.highest();
            }
        }
        HIGHEST
    }

    /// Returns the buckets that are not empty, ascending. Values above the range are in none.
    pub fn buckets(&self) -> impl Iterator<Item = BucketCount> + '_ {
        self.buckets.iter().map(|(bucket, count)| BucketCount {
            lowest: bucket.lowest(),
            highest: bucket.highest(),
            count: *count,
        })
    }

    /// Adds all values of another one.
    pub fn merge(&mut self, other: &Distribution) {
        let mut merged = Vec::with_capacity(self.buckets.len().max(other.buckets.len()));
        let mut ours = self.buckets.iter().copied().peekable();
        let mut theirs = other.buckets.iter().copied().peekable();
        loop {
            merged.push(match (ours.peek(), theirs.peek()) {
                (Some(&(our, ours_count)), Some(&(their, theirs_count))) if our == their => {
                    ours.next();
                    theirs.next();
                    (our, ours_count.saturating_add(theirs_count))
                }
                (Some(&our), Some(&their)) if their.0 < our.0 => {
                    theirs.next();
                    their
                }
                (Some(&our), _) => {
                    ours.next();
                    our
                }
                (None, Some(&their)) => {
                    theirs.next();
                    their
                }
                (None, None) => break,
            });
        }
        self.buckets = merged;
        self.beyond = self.beyond.saturating_add(other.beyond);
    }

    /// Adds a bucket above all that are there.
    pub(crate) fn push(&mut self, bucket: Bucket, count: u64) {
        if count > 0 {
            debug_assert!(self.buckets.last().is_none_or(|last| last.0 < bucket));
            self.buckets.push((bucket, count));
        }
    }

    pub(crate) fn add_beyond(&mut self, count: u64) {
        self.beyond = self.beyond.saturating_add(count);
    }
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distribution")
            .field("count", &self.count())
            .field("min", &self.min())
            .field("p50", &self.percentile(50.0))
            .field("p99", &self.percentile(99.0))
            .field("max", &self.max())
            .field("above_range", &self.beyond)
            .finish()
    }
}
