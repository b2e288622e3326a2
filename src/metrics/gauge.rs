//! Gauges.

use crate::metrics::handle::{any_unit, instrument};
use crate::metrics::observe::{Observation, Sources};
use crate::metrics::series::Cell;
use crate::metrics::snapshot::Value;
use crate::sync::atomic::{AtomicU64, Ordering};

instrument! {
    /// Shows a number that goes up and down: how it is now, not how it was meanwhile.
    ///
    /// Made by [`gauge`](super::gauge). Where what happened between two snapshots matters, take a
    /// [`RangeSampler`](super::RangeSampler).
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::time::Duration;
    ///
    /// let mut subscription = metrics::subscribe("gauge.example", Duration::from_secs(60));
    /// let gauge = metrics::gauge("gauge.example");
    /// gauge.update(4.5);
    /// gauge.decrement();
    /// assert_eq!(subscription.snapshot().gauge("gauge.example"), Some(3.5));
    /// ```
    Gauge, GaugeCell
}

any_unit!(Gauge);

impl Gauge {
    /// Shows this number from now on.
    pub fn update(&self, value: f64) {
        let level = &self.handle.series().cell.level;
        level.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds to what is shown.
    pub fn add(&self, amount: f64) {
        let level = &self.handle.series().cell.level;
        let mut before = level.load(Ordering::Relaxed);
        while let Err(now) = level.compare_exchange_weak(
            before,
            (f64::from_bits(before) + amount).to_bits(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            before = now;
        }
    }

    /// Shows one more.
    pub fn increment(&self) {
        self.add(1.0);
    }

    /// Shows one less.
    pub fn decrement(&self) {
        self.add(-1.0);
    }

    /// Adds what `read` returns whenever a snapshot is taken.
    ///
    /// A panic counts as no change. `read` must not wait for anything, and must not use this
    /// instrument.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::time::Duration;
    ///
    /// let mut subscription = metrics::subscribe("threads", Duration::from_secs(60));
    /// metrics::gauge("threads").observe(|| 4.0).forever();
    /// assert_eq!(subscription.snapshot().gauge("threads"), Some(4.0));
    /// ```
    pub fn observe(&self, read: impl Fn() -> f64 + Send + Sync + 'static) -> Observation {
        let series = self.handle.share();
        let key = series.cell.sources.add(read);
        Observation::new(move || series.cell.sources.end(&key, latest, |_| ()))
    }
}

/// What a gauge shows.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell {
    /// The bits of the number.
    level: AtomicU64,
    sources: Sources<f64>,
}

impl Cell for GaugeCell {
    type Seen = ();

    fn read(&self, _: &mut ()) -> Value {
        let own = f64::from_bits(self.level.load(Ordering::Relaxed));
        Value::Level(
            self.sources
                .ask(latest, |answers| own + answers.sum::<f64>()),
        )
    }
}

fn latest(_: f64, now: f64) -> f64 {
    now
}
