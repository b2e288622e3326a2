//! Parking: what is promised, who is unparked, and that nothing is missed.

use std::pin::pin;
use std::time::Instant as StdInstant;

use super::hand::{ms, poll, timers, Woken};
use crate::time::{enter, sleep_until, Clock, Instant, ParkFor, Timers};

#[test]
fn nothing_armed_parks_forever() {
    let (timers, _host) = timers(Clock::new(false, false));
    assert_eq!(timers.park_for(), ParkFor::Forever);
    assert_eq!(timers.turn(), 0);
    assert!(!timers.auto_advance());
}

#[test]
fn an_earlier_deadline_than_promised_unparks() {
    let (timers, host) = timers(Clock::new(false, false));
    let _current = enter(&timers);
    let (_, waker) = Woken::new();
    let start = Instant::now();
    let mut hour = pin!(sleep_until(start + ms(3_600_000)));
    let mut day = pin!(sleep_until(start + ms(86_400_000)));
    let mut minute = pin!(sleep_until(start + ms(60_000)));

    assert_eq!(timers.park_for(), ParkFor::Forever);
    assert!(poll(hour.as_mut(), &waker).is_pending());
    assert_eq!(host.unparks(), 1, "earlier than forever");

    let ParkFor::Timeout(timeout) = timers.park_for() else {
        panic!("an hour")
    };
    assert!(
        timeout <= ms(3_600_001) && timeout > ms(3_500_000),
        "{timeout:?}"
    );

    assert!(poll(day.as_mut(), &waker).is_pending());
    assert_eq!(host.unparks(), 1, "the promise is soon enough");
    assert!(poll(minute.as_mut(), &waker).is_pending());
    assert_eq!(host.unparks(), 2);

    // Moving one to the front is like arming it.
    timers.park_for();
    day.as_mut().reset(start + ms(1_000));
    assert_eq!(host.unparks(), 3);
    let ParkFor::Timeout(timeout) = timers.park_for() else {
        panic!("a second")
    };
    assert!(timeout <= ms(1_001));
}

#[test]
fn polls_before_the_first_do_not_arm() {
    let (timers, host) = timers(Clock::new(false, false));
    let _current = enter(&timers);
    let sleep = sleep_until(Instant::now() + ms(50));
    assert_eq!(timers.park_for(), ParkFor::Forever);
    drop(sleep);
    assert_eq!(host.unparks(), 0);
}

#[test]
fn instants_beyond_the_clock_are_waited_for() {
    let (timers, _host) = timers(Clock::new(false, false));
    let _current = enter(&timers);
    let (_, waker) = Woken::new();
    let mut far = StdInstant::now();
    for shift in (0..64).rev() {
        far = far
            .checked_add(std::time::Duration::from_secs(1 << shift))
            .unwrap_or(far);
    }
    let mut sleep = pin!(sleep_until(Instant::from_std(far)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    assert_ne!(timers.park_for(), ParkFor::Now);
    assert_eq!(timers.turn(), 0);
    assert!(poll(sleep.as_mut(), &waker).is_pending());
}

#[test]
fn a_real_clock_fires_and_never_early() {
    let (timers, _host) = timers(Clock::new(false, false));
    let _current = enter(&timers);
    let (woken, waker) = Woken::new();
    for after in [0, 1, 3, 7] {
        let deadline = Instant::now() + ms(after) + std::time::Duration::from_micros(300);
        let mut sleep = pin!(sleep_until(deadline));
        let before = woken.count();
        if poll(sleep.as_mut(), &waker).is_pending() {
            while woken.count() == before {
                match timers.park_for() {
                    ParkFor::Timeout(timeout) => std::thread::park_timeout(timeout),
                    ParkFor::Now => {}
                    ParkFor::Forever => panic!("it is armed"),
                }
                timers.turn();
            }
            assert!(poll(sleep.as_mut(), &waker).is_ready());
        }
        assert!(Instant::now() >= deadline);
        assert!(sleep.is_elapsed());
    }
}

#[test]
fn every_shard_is_driven() {
    let timers = Timers::new(3, Clock::new(false, false));
    let (woken, waker) = Woken::new();
    let mut sleeps = Vec::new();
    // Threads are numbered as they come: six of them reach all three shards.
    for _ in 0..6 {
        let (timers, waker) = (timers.clone(), waker.clone());
        let arm = move || {
            let _current = enter(&timers);
            let mut sleep = Box::pin(sleep_until(Instant::now() + ms(2)));
            assert!(poll(sleep.as_mut(), &waker).is_pending());
            sleep
        };
        sleeps.push(std::thread::spawn(arm).join().unwrap());
    }
    let mut fired = 0;
    while fired < 6 {
        fired += timers.turn();
        std::thread::yield_now();
    }
    assert_eq!((fired, woken.count()), (6, 6));
    assert!(sleeps
        .iter_mut()
        .all(|sleep| poll(sleep.as_mut(), &waker).is_ready()));
    assert_eq!(timers.park_for(), ParkFor::Forever);
}
