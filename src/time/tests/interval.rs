//! Intervals under a clock that is moved by hand.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use super::hand::{ms, timers, Woken};
use crate::time::{
    enter, interval, interval_at, Clock, CurrentTimers, Instant, Interval, MissedTickBehavior,
    Timers,
};

/// No ticks. Of a bare `[]` it is not known what it has none of, once other crates compare theirs with numbers.
const NONE: [u64; 0] = [];

/// An interval of 300 ms that starts at zero, at 1 ms.
struct Ticking {
    timers: Arc<Timers>,
    _current: CurrentTimers,
    start: Instant,
    interval: Interval,
    waker: Waker,
}

impl Ticking {
    fn new() -> Ticking {
        let (timers, _) = timers(Clock::new(true, true));
        let current = enter(&timers);
        let start = Instant::now();
        let interval = interval_at(start, ms(300));
        let (_, waker) = Woken::new();
        let ticking = Ticking {
            timers,
            _current: current,
            start,
            interval,
            waker,
        };
        ticking.advance(1);
        ticking
    }

    fn advance(&self, by: u64) {
        self.timers.clock().advance(ms(by)).unwrap();
        self.timers.turn();
    }

    /// Moves on and returns all ticks, up to the one that is not due.
    fn ticks(&mut self, after: u64) -> Vec<u64> {
        self.advance(after);
        let mut ticks = Vec::new();
        while let Poll::Ready(tick) = self
            .interval
            .poll_tick(&mut TaskContext::from_waker(&self.waker))
        {
            ticks.push((tick - self.start).as_millis() as u64);
        }
        ticks
    }
}

#[test]
fn burst_catches_up() {
    let mut ticking = Ticking::new();
    assert_eq!(
        ticking.interval.missed_tick_behavior(),
        MissedTickBehavior::Burst
    );
    assert_eq!(ticking.ticks(0), [0]);
    assert_eq!(ticking.ticks(100), NONE);
    assert_eq!(ticking.ticks(200), [300]);
    assert_eq!(ticking.ticks(1250), [600, 900, 1200, 1500]);
    assert_eq!(ticking.ticks(248), NONE);
    assert_eq!(ticking.ticks(1), [1800]);
}

#[test]
fn delay_starts_anew() {
    let mut ticking = Ticking::new();
    ticking
        .interval
        .set_missed_tick_behavior(MissedTickBehavior::Delay);
    assert_eq!(ticking.ticks(300), [0]);
    assert_eq!(ticking.ticks(299), NONE);
    assert_eq!(ticking.ticks(1), [601]);
    assert_eq!(ticking.ticks(650), [901]);
    assert_eq!(ticking.ticks(299), NONE);
    assert_eq!(ticking.ticks(1), [1551]);
}

#[test]
fn skip_leaves_out_what_was_missed() {
    let mut ticking = Ticking::new();
    ticking
        .interval
        .set_missed_tick_behavior(MissedTickBehavior::Skip);
    assert_eq!(ticking.ticks(0), [0]);
    assert_eq!(ticking.ticks(950), [300]);
    assert_eq!(ticking.ticks(250), [1200]);
    assert_eq!(ticking.ticks(298), NONE);
    assert_eq!(ticking.ticks(1), [1500]);
}

#[test]
fn a_little_late_is_not_missed() {
    let mut ticking = Ticking::new();
    ticking
        .interval
        .set_missed_tick_behavior(MissedTickBehavior::Delay);
    assert_eq!(ticking.ticks(4), [0]);
    assert_eq!(ticking.ticks(295), [300]);
    assert_eq!(ticking.ticks(305), [600], "605: five late");
    assert_eq!(ticking.ticks(301), [900], "906: six late");
    assert_eq!(ticking.ticks(299), NONE);
    assert_eq!(ticking.ticks(1), [1206]);
}

#[test]
fn resets() {
    let mut ticking = Ticking::new();
    assert_eq!(ticking.ticks(0), [0]);
    assert_eq!(ticking.ticks(100), NONE);
    ticking.interval.reset();
    assert_eq!(ticking.ticks(299), NONE);
    assert_eq!(ticking.ticks(1), [401]);
    ticking.interval.reset_immediately();
    assert_eq!(ticking.ticks(0), [401]);
    ticking.interval.reset_after(ms(20));
    assert_eq!(ticking.ticks(20), [421]);
    ticking.interval.reset_at(ticking.start + ms(1000));
    assert_eq!(ticking.ticks(578), NONE);
    assert_eq!(ticking.ticks(1), [1000]);
    assert_eq!(ticking.ticks(300), [1300]);
}

#[test]
fn absurd_periods_do_not_panic() {
    let mut ticking = Ticking::new();
    ticking.interval = interval(Duration::MAX);
    assert_eq!(ticking.ticks(0), [1]);
    ticking.interval.reset();
    ticking.interval.reset_after(Duration::MAX);
    assert_eq!(ticking.ticks(1000), NONE);
    for period in [Duration::from_nanos(1), Duration::MAX] {
        assert_eq!(interval(period).period(), period);
    }
}

#[test]
#[should_panic(expected = "`period` must be non-zero.")]
fn no_period_panics() {
    drop(interval(Duration::ZERO));
}
