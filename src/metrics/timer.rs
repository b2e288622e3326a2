//! Timers.

use std::time::{Duration, Instant};

use crate::metrics::counts::Mine;
use crate::metrics::handle::instrument;
use crate::metrics::histogram::HistogramCell;
use crate::metrics::lookup::{self, Text};
use crate::metrics::series::{AnySeries as _, Series};
use crate::sync::seat::Seat;
use crate::sync::{now, Arc};

instrument! {
    /// Keeps how durations are distributed: a histogram of nanoseconds.
    ///
    /// Made by [`timer`](super::timer). Durations up to 73 minutes are kept with two significant
    /// digits, longer ones counted.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::metrics;
    /// use std::time::Duration;
    ///
    /// let mut subscription = metrics::subscribe("timer.example", Duration::from_secs(60));
    /// let timer = metrics::timer("timer.example");
    /// timer.record(Duration::from_nanos(200));
    /// timer.record_nanos(100);
    /// let durations = subscription.snapshot().timer("timer.example").unwrap();
    /// assert_eq!((durations.min(), durations.max()), (100, 200));
    /// ```
    Timer, HistogramCell
}

impl Timer {
    /// Records a duration.
    #[inline]
    pub fn record(&self, duration: Duration) {
        self.record_nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Records a duration in nanoseconds.
    #[inline]
    pub fn record_nanos(&self, nanoseconds: u64) {
        self.handle.series().cell.record(nanoseconds, 1);
    }

    /// Begins to measure.
    pub fn start(&self) -> StartedTimer {
        StartedTimer {
            timer: self.clone(),
            start: now(),
        }
    }

    /// Records under tags that are known only now, besides those of this handle.
    ///
    /// The thread remembers which instrument the tags stand for; only where it does not, this
    /// allocates and takes the metric's lock. The order of tags matters for that, and only for that.
    /// Of two with one key the later counts.
    #[inline]
    pub(crate) fn record_tagged(&self, tags: &[(Text<'_>, Text<'_>)], nanoseconds: u64) {
        lookup::with(&self.handle, tags, |cell| cell.record(nanoseconds, 1));
    }
}

/// A timer as one thread uses it often: it knows where this thread's part of it is.
pub(crate) struct ThreadTimer {
    series: Arc<Series<HistogramCell>>,
    mine: Mine,
}

impl ThreadTimer {
    pub(crate) fn of(timer: &Timer) -> ThreadTimer {
        let series = timer.handle.share();
        let mine = series.cell.mine();
        ThreadTimer { series, mine }
    }

    /// As [`Timer::record_nanos`].
    #[inline]
    pub(crate) fn record_nanos(&mut self, nanoseconds: u64) {
        let seat = Seat::here();
        if self.mine.seat() != seat {
            // Its thread is at its end.
            self.mine = self.series.cell.mine();
        }
        // SAFETY: the series is still there, and with it the part.
        unsafe { self.mine.record(nanoseconds) };
    }

    /// Whether the instrument was removed, so that who kept this needs a new one.
    #[inline]
    pub(crate) fn is_removed(&self) -> bool {
        self.series.is_removed()
    }
}

/// A duration that is being measured. Dropped without [`stop`](StartedTimer::stop), it records
/// nothing.
///
/// # Examples
///
/// ```
/// use kamon::metrics;
///
/// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
///     let started = metrics::timer("parse.time").start();
///     let number = text.parse()?; // what fails is not measured
///     started.stop();
///     Ok(number)
/// }
/// # parse("12").unwrap();
/// ```
#[derive(Debug)]
#[must_use = "nothing is recorded before it is stopped"]
pub struct StartedTimer {
    timer: Timer,
    start: Instant,
}

impl StartedTimer {
    /// Records the time since the start.
    pub fn stop(self) {
        self.timer
            .record(now().saturating_duration_since(self.start));
    }
}
