//! `Interval`: ticks, one period apart.

use std::future::poll_fn;
use std::task::{ready, Context as TaskContext, Poll};
use std::time::Duration;

use super::far::capped;
use super::instant::Instant;
use super::timer::Timer;

/// A tick that is later than this was missed.
const LATE: Duration = Duration::from_millis(5);

/// Returns ticks that are `period` apart, the first one at once.
///
/// # Panics
///
/// Panics if `period` is zero.
///
/// # Examples
///
/// ```
/// use kamon::time::{interval, Duration};
///
/// kamon::block_on(async {
///     let mut interval = interval(Duration::from_millis(2));
///     let first = interval.tick().await;
///     let second = interval.tick().await;
///     assert_eq!(second - first, Duration::from_millis(2));
/// });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Returns ticks that are `period` apart, the first one at `start`.
///
/// # Panics
///
/// Panics if `period` is zero.
///
/// # Examples
///
/// ```
/// use kamon::time::{interval_at, Duration, Instant};
///
/// kamon::block_on(async {
///     let start = Instant::now() + Duration::from_millis(3);
///     let mut interval = interval_at(start, Duration::from_secs(1));
///     assert_eq!(interval.tick().await, start);
/// });
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "`period` must be non-zero.");
    Interval {
        next: start,
        timer: Timer::new(),
        period,
        missed_tick_behavior: MissedTickBehavior::default(),
    }
}

/// Says what an [`Interval`] does when it is polled so late that ticks were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissedTickBehavior {
    /// Ticks at once until it has caught up; later ticks are where they would have been.
    #[default]
    Burst,
    /// Ticks at once, and from then on one period after each tick.
    Delay,
    /// Ticks at once, leaves out what was missed; later ticks are where they would have been.
    Skip,
}

impl MissedTickBehavior {
    fn after(self, missed: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            MissedTickBehavior::Burst => missed + period,
            MissedTickBehavior::Delay => now + period,
            MissedTickBehavior::Skip => {
                let beyond = (now - missed).as_nanos() % period.as_nanos();
                // Less than a period, which is capped: it fits.
                let beyond = Duration::from_nanos(u64::try_from(beyond).unwrap_or(u64::MAX));
                now + (period - beyond)
            }
        }
    }
}

/// A row of ticks, made by [`interval`] and [`interval_at`].
///
/// Each [`tick`](Interval::tick) is counted from when the one before it was due, so the time that
/// the work in between takes does not add up. [`MissedTickBehavior`] says what happens when that
/// work takes longer than a period.
#[derive(Debug)]
pub struct Interval {
    next: Instant,
    timer: Timer,
    period: Duration,
    missed_tick_behavior: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick and returns when it was due.
    ///
    /// Dropping the future before it is done loses no tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick, as [`tick`](Interval::tick) does.
    ///
    /// When it returns `Ready`, the task is not going to be woken for the tick after: it has to
    /// poll again.
    pub fn poll_tick(&mut self, cx: &mut TaskContext<'_>) -> Poll<Instant> {
        ready!(self.timer.poll(self.next, cx));
        let due = self.next;
        let now = Instant::now();
        let period = capped(self.period);
        self.next = if now > due + LATE {
            self.missed_tick_behavior.after(due, now, period)
        } else {
            due + period
        };
        self.timer.disarm();
        Poll::Ready(due)
    }

    /// Makes the next tick come one period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Makes the next tick come now.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// Makes the next tick come after `after`, which need not be the period.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(Instant::now() + capped(after));
    }

    /// Makes the next tick come at `deadline`.
    pub fn reset_at(&mut self, deadline: Instant) {
        let old = std::mem::replace(&mut self.next, deadline);
        self.timer.reset(old, deadline);
    }

    /// Returns what happens to ticks that were missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed_tick_behavior
    }

    /// Says what is to happen to ticks that are missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed_tick_behavior = behavior;
    }

    /// Returns the time from tick to tick.
    pub fn period(&self) -> Duration {
        self.period
    }
}
