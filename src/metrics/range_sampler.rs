//! Range samplers.

use crate::metrics::counts::{Counts, SeenCounts};
use crate::metrics::handle::{any_unit, instrument};
use crate::metrics::series::Cell;
use crate::metrics::snapshot::{Range, Value};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::seat::Seat;

instrument! {
    /// Keeps how far a number goes up and down: users online, requests in flight.
    ///
    /// Made by [`range_sampler`](super::range_sampler). While somebody subscribes to it, and at
    /// each snapshot, the number is *sampled*: the least and the greatest it was since the sampling
    /// before, and what it is now, are recorded as in a histogram. So a peak between two snapshots
    /// is not missed, however short.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::time::Duration;
    ///
    /// let mut subscription = metrics::subscribe("range.example", Duration::from_secs(60));
    /// let in_flight = metrics::range_sampler("range.example");
    /// in_flight.increment_by(5);
    /// in_flight.decrement_by(3);
    /// let range = subscription.snapshot().range_sampler("range.example").unwrap();
    /// assert_eq!((range.min(), range.max()), (0, 5));
    /// ```
    RangeSampler, RangeSamplerCell
}

any_unit!(RangeSampler);

impl RangeSampler {
    /// The number is one greater.
    #[inline]
    pub fn increment(&self) {
        self.increment_by(1);
    }

    /// The number is so much greater.
    #[inline]
    pub fn increment_by(&self, amount: u64) {
        self.handle.series().cell.up(amount);
    }

    /// The number is one less.
    #[inline]
    pub fn decrement(&self) {
        self.decrement_by(1);
    }

    /// The number is so much less.
    #[inline]
    pub fn decrement_by(&self, amount: u64) {
        self.handle.series().cell.down(amount);
    }

    /// Samples now. There is seldom a need to: subscriptions do.
    pub fn sample(&self) {
        self.handle.series().cell.sample();
    }
}

/// A number, and how far it went since it was last sampled.
#[derive(Debug)]
pub(crate) struct RangeSamplerCell {
    current: AtomicU64,
    greatest: AtomicU64,
    /// The least, upside down: its complement only grows between two samplings.
    least: AtomicU64,
    samples: Counts,
}

/// Stands for zero: numbers are kept in the order of unsigned ones.
const ZERO: u64 = 1 << 63;

impl Default for RangeSamplerCell {
    fn default() -> Self {
        RangeSamplerCell {
            current: AtomicU64::new(ZERO),
            greatest: AtomicU64::new(ZERO),
            least: AtomicU64::new(!ZERO),
            samples: Counts::default(),
        }
    }
}

impl RangeSamplerCell {
    #[inline]
    fn up(&self, amount: u64) {
        // Ordering: here and below, each atomic stands for itself. A peak is put into `greatest`
        // before or after a sampling's swap, and counts in the one or in the next.
        let before = self.current.fetch_add(amount, Ordering::Relaxed);
        let now = before.wrapping_add(amount);
        if self.greatest.load(Ordering::Relaxed) < now {
            self.greatest.fetch_max(now, Ordering::Relaxed);
        }
    }

    #[inline]
    fn down(&self, amount: u64) {
        let before = self.current.fetch_sub(amount, Ordering::Relaxed);
        let now = !before.wrapping_sub(amount);
        if self.least.load(Ordering::Relaxed) < now {
            self.least.fetch_max(now, Ordering::Relaxed);
        }
    }
}

impl Cell for RangeSamplerCell {
    type Seen = SeenCounts;

    fn read(&self, seen: &mut SeenCounts) -> Value {
        Value::Range(Range {
            current: self.current.load(Ordering::Relaxed).wrapping_sub(ZERO) as i64,
            samples: self.samples.read(seen),
        })
    }

    fn sample(&self) {
        let current = self.current.load(Ordering::Relaxed);
        let greatest = self.greatest.swap(current, Ordering::Relaxed).max(current);
        let least = (!self.least.swap(!current, Ordering::Relaxed)).min(current);
        let seat = Seat::here();
        for number in [least, greatest, current] {
            let recorded = number.saturating_sub(ZERO);
            self.samples.record(seat, recorded, 1);
        }
    }
}
