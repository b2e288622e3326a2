//! Histograms.

use crate::metrics::counts::{Counts, Mine, SeenCounts};
use crate::metrics::handle::{any_unit, instrument};
use crate::metrics::series::Cell;
use crate::metrics::snapshot::Value;
use crate::sync::seat::Seat;

instrument! {
    /// Keeps how values are distributed, with two significant digits.
    ///
    /// Made by [`histogram`](super::histogram). For durations there is [`Timer`](super::Timer).
    ///
    /// Values from 0 to 2^42 - 1 are kept, greater ones counted. Any thread may record at any time;
    /// a thread that has a seat of its own records without an atomic read-modify-write. Memory is
    /// taken for the powers of two that occur, at a kibibyte each and thread.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::time::Duration;
    ///
    /// let mut subscription = metrics::subscribe("histogram.example", Duration::from_secs(60));
    /// let histogram = metrics::histogram("histogram.example");
    /// histogram.record(10);
    /// histogram.record_times(20, 3);
    /// let distribution = subscription.snapshot().histogram("histogram.example").unwrap();
    /// assert_eq!(distribution.count(), 4);
    /// assert_eq!(distribution.sum(), 70);
    /// ```
    Histogram, HistogramCell
}

any_unit!(Histogram);

impl Histogram {
    /// Records a value.
    #[inline]
    pub fn record(&self, value: u64) {
        self.record_times(value, 1);
    }

    /// Records a value several times.
    #[inline]
    pub fn record_times(&self, value: u64, times: u64) {
        self.handle.series().cell.record(value, times);
    }
}

/// What a histogram or a timer records into.
#[derive(Debug, Default)]
pub(crate) struct HistogramCell {
    counts: Counts,
}

impl HistogramCell {
    #[inline]
    pub(crate) fn record(&self, value: u64, times: u64) {
        self.counts.record(Seat::here(), value, times);
    }

    /// This thread's part.
    pub(crate) fn mine(&self) -> Mine {
        self.counts.mine(Seat::here())
    }
}

impl Cell for HistogramCell {
    type Seen = SeenCounts;

    fn read(&self, seen: &mut SeenCounts) -> Value {
        Value::Distribution(self.counts.read(seen))
    }
}
