//! The paused clock.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::time::Duration;

use super::hand::{ms, poll, timers, Woken};
use crate::time::{
    advance, enter, pause, resume, sleep, sleep_until, Clock, Instant, ParkFor, Timers,
};

fn message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it must panic");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast::<&str>().unwrap().to_string(),
    }
}

#[test]
fn misuse_panics_and_says_why() {
    assert!(message(pause).contains("outside a kamon runtime"));
    assert!(message(resume).contains("outside a kamon runtime"));
    assert!(message(|| assert!(Clock::new(false, true).is_paused())).contains("current_thread"));

    let (threads, _host) = timers(Clock::new(false, false));
    let current = enter(&threads);
    assert!(message(pause).contains("current_thread"));
    drop(current);

    let (one, _host) = timers(Clock::new(true, false));
    let _current = enter(&one);
    let (_, waker) = Woken::new();
    assert!(message(resume).contains("not frozen"));
    assert!(
        message(|| assert!(poll(pin!(advance(ms(1))), &waker).is_ready())).contains("not frozen")
    );
    pause();
    assert!(message(pause).contains("already frozen"));
    let far = message(|| assert!(poll(pin!(advance(Duration::MAX)), &waker).is_ready()));
    assert!(far.contains("that far"), "{far}");
    resume();
}

#[test]
fn a_paused_clock_stands_and_is_moved() {
    let (timers, _host) = timers(Clock::new(true, true));
    let _current = enter(&timers);
    let (woken, waker) = Woken::new();
    let start = Instant::now();
    assert_eq!(Instant::now(), start);

    let mut moved = pin!(advance(Duration::from_micros(51_592)));
    assert!(poll(moved.as_mut(), &waker).is_pending(), "it yields");
    assert_eq!(woken.count(), 1);
    assert!(poll(moved.as_mut(), &waker).is_ready());
    assert_eq!(start.elapsed(), Duration::from_micros(51_592));

    resume();
    while start.elapsed() == Duration::from_micros(51_592) {
        std::thread::yield_now();
    }
    pause();
    assert_eq!(Instant::now(), Instant::now());
}

#[test]
fn advancing_wakes_at_whole_milliseconds_and_never_early() {
    let (timers, _host) = timers(Clock::new(true, true));
    let _current = enter(&timers);
    let (woken, waker) = Woken::new();
    let (_, other) = Woken::new();
    let mut sleep = pin!(sleep(ms(1)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    for _ in 0..3 {
        assert!(poll(pin!(advance(Duration::from_micros(250))), &other).is_pending());
        assert!(poll(sleep.as_mut(), &waker).is_pending());
    }
    assert!(poll(pin!(advance(Duration::from_micros(250))), &other).is_pending());
    assert_eq!(woken.count(), 1);
    assert!(poll(sleep.as_mut(), &waker).is_ready());
}

#[test]
fn an_idle_paused_clock_jumps_from_deadline_to_deadline() {
    let (timers, _host) = timers(Clock::new(true, true));
    let _current = enter(&timers);
    let start = Instant::now();
    let (woken, waker) = Woken::new();
    let mut far = pin!(sleep(Duration::MAX));
    let mut near = pin!(sleep(ms(100)));
    let mut cancelled = Box::pin(sleep(ms(30)));
    for sleep in [far.as_mut(), near.as_mut(), cancelled.as_mut()] {
        assert!(poll(sleep, &waker).is_pending());
    }
    drop(cancelled);

    timers.hold();
    assert!(!timers.auto_advance(), "something holds the clock");
    assert_eq!(timers.park_for(), ParkFor::Forever, "time stands still");
    timers.release();
    assert_eq!(timers.park_for(), ParkFor::Now, "it may jump");

    assert!(timers.auto_advance());
    assert_eq!((start.elapsed(), woken.count()), (ms(100), 1));
    assert!(poll(near.as_mut(), &waker).is_ready());
    assert!(timers.auto_advance());
    assert!(poll(far.as_mut(), &waker).is_ready());
    assert_eq!(start.elapsed(), Duration::from_secs(30 * 365 * 86_400));
    assert!(!timers.auto_advance(), "nothing is left");

    let mut cancelled = Box::pin(sleep(ms(10)));
    assert!(poll(cancelled.as_mut(), &waker).is_pending());
    drop(cancelled);
    assert!(!timers.auto_advance());
    assert_eq!(start.elapsed(), Duration::from_secs(30 * 365 * 86_400));
}

#[test]
fn a_sleep_keeps_to_the_clock_it_was_made_under() {
    let (past, _host) = timers(Clock::new(true, true));
    let (other, _host) = timers(Clock::new(true, true));
    let (_, waker) = Woken::new();
    let outer = enter(&past);
    let mut sleep = pin!(sleep(ms(1)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    let deadline = sleep.deadline();
    {
        let _inner = enter(&other);
        sleep.as_mut().reset(deadline + ms(1));
        assert!(!other.auto_advance());
    }
    let start = Instant::now();
    assert!(past.auto_advance());
    assert!(poll(sleep.as_mut(), &waker).is_ready());
    assert_eq!(start.elapsed(), ms(2));
    drop(outer);
}

#[test]
fn the_clock_is_read_by_who_entered_its_timers() {
    let (paused, _host) = timers(Clock::new(true, true));
    let shown = {
        let _current = enter(&paused);
        let (_, waker) = Woken::new();
        assert!(poll(pin!(advance(ms(3_600_000))), &waker).is_pending());
        Instant::now()
    };
    assert!(Instant::now() < shown, "outside it is the system's");
    let running = Timers::new(1, Clock::new(false, false));
    let _current = enter(&running);
    assert!(Instant::now() < shown, "and so it is for other timers");
}

#[test]
fn a_resumed_clock_parks_for_what_is_left() {
    let (timers, _host) = timers(Clock::new(true, true));
    let _current = enter(&timers);
    let (_, waker) = Woken::new();
    assert!(poll(pin!(advance(ms(3_600_000))), &waker).is_pending());
    resume();
    let mut sleep = pin!(sleep_until(Instant::now() + ms(60_000)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    let ParkFor::Timeout(timeout) = timers.park_for() else {
        panic!("a minute")
    };
    assert!(timeout > ms(30_000) && timeout <= ms(60_001), "{timeout:?}");
    pause();
    timers.hold();
    assert_eq!(timers.park_for(), ParkFor::Forever);
    timers.release();
    let left = sleep.deadline() - Instant::now();
    assert!(poll(pin!(advance(left + ms(1))), &waker).is_pending());
    assert!(poll(sleep.as_mut(), &waker).is_ready());
}
