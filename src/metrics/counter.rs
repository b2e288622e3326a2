//! Counters.

use crate::metrics::handle::{any_unit, instrument};
use crate::metrics::observe::{Observation, Sources};
use crate::metrics::series::Cell;
use crate::metrics::snapshot::Value;
use crate::sync::seat::Seat;
use crate::sync::sums::Sum;

instrument! {
    /// Counts what happens: a number that only grows.
    ///
    /// Made by [`counter`](super::counter). Any thread may count at any time; a thread that has a
    /// seat of its own adds without an atomic read-modify-write.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::time::Duration;
    ///
    /// let mut subscription = metrics::subscribe("counter.example", Duration::from_secs(60));
    /// let counter = metrics::counter("counter.example");
    /// counter.increment();
    /// counter.increment_by(2);
    /// assert_eq!(subscription.snapshot().counter("counter.example"), Some(3));
    /// ```
    Counter, CounterCell
}

any_unit!(Counter);

impl Counter {
    /// Counts one.
    #[inline]
    pub fn increment(&self) {
        self.increment_by(1);
    }

    /// Counts so many.
    #[inline]
    pub fn increment_by(&self, times: u64) {
        self.handle.series().cell.sum.add(Seat::here(), times);
    }

    /// Counts what is counted elsewhere as well: `read` is asked at every snapshot for its number
    /// since its beginning.
    ///
    /// An answer lower than one before it counts as that; a panic counts as no change. `read` must
    /// not wait for anything, and must not use this instrument.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use std::time::Duration;
    ///
    /// static FLUSHES: AtomicU64 = AtomicU64::new(0);
    ///
    /// let mut subscription = metrics::subscribe("flushes", Duration::from_secs(60));
    /// metrics::counter("flushes").observe(|| FLUSHES.load(Ordering::Relaxed)).forever();
    /// FLUSHES.fetch_add(7, Ordering::Relaxed);
    /// assert_eq!(subscription.snapshot().counter("flushes"), Some(7));
    /// ```
    pub fn observe(&self, read: impl Fn() -> u64 + Send + Sync + 'static) -> Observation {
        let series = self.handle.share();
        let key = series.cell.sources.add(read);
        Observation::new(move || {
            let cell = &series.cell;
            let keep = |last| cell.sum.add(Seat::here(), last);
            cell.sources.end(&key, u64::max, keep);
        })
    }
}

/// What a counter counts in.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    sum: Sum,
    sources: Sources<u64>,
}

impl Cell for CounterCell {
    type Seen = u64;

    fn read(&self, seen: &mut u64) -> Value {
        let total = self.sources.ask(u64::max, |answers| {
            answers.fold(self.sum.read(), u64::wrapping_add)
        });
        Value::Count(total.wrapping_sub(std::mem::replace(seen, total)))
    }
}
