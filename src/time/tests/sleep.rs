//! Sleeps and timeouts under a clock that is moved by hand.

use std::future::{pending, ready};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use super::hand::{ms, poll, timers, HandHost, Woken};
use crate::time::{
    advance, call_later, enter, interval, sleep, sleep_until, timeout, timeout_at, Clock,
    CurrentTimers, Instant, Sleep, Timers,
};

struct Hand {
    timers: Arc<Timers>,
    _host: Arc<HandHost>,
    _current: CurrentTimers,
}

impl Hand {
    fn new() -> Hand {
        let (timers, host) = timers(Clock::new(true, true));
        let current = enter(&timers);
        Hand {
            timers,
            _host: host,
            _current: current,
        }
    }

    fn advance(&self, by: Duration) -> usize {
        self.timers.clock().advance(by).unwrap();
        self.timers.turn()
    }
}

#[test]
fn is_done_when_it_was_polled_and_the_time_has_come() {
    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let mut sleep = pin!(sleep(ms(10)));
    assert!(!sleep.is_elapsed());
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    hand.advance(ms(9));
    assert!(!sleep.is_elapsed());
    assert_eq!(woken.count(), 0);
    assert_eq!(hand.advance(ms(1)), 1);
    assert_eq!(woken.count(), 1);
    assert!(sleep.is_elapsed());
    assert!(poll(sleep.as_mut(), &waker).is_ready());
    assert!(poll(sleep.as_mut(), &waker).is_ready(), "and it stays done");
}

#[test]
fn a_deadline_that_lies_behind_is_done_at_the_first_poll() {
    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let start = Instant::now();
    let mut now = pin!(sleep_until(start));
    assert!(!now.is_elapsed());
    assert!(poll(now.as_mut(), &waker).is_ready());
    hand.advance(ms(5));
    let mut unpolled = pin!(sleep_until(start + ms(3)));
    assert!(poll(unpolled.as_mut(), &waker).is_ready());
    assert_eq!(woken.count(), 0);
}

#[test]
fn the_last_waker_is_woken() {
    let hand = Hand::new();
    let (first, first_waker) = Woken::new();
    let (second, second_waker) = Woken::new();
    let mut sleep = pin!(sleep(ms(10)));
    assert!(poll(sleep.as_mut(), &first_waker).is_pending());
    assert!(poll(sleep.as_mut(), &second_waker).is_pending());
    assert_eq!(
        Arc::strong_count(&first),
        2,
        "the first waker was let go of"
    );
    hand.advance(ms(10));
    assert_eq!((first.count(), second.count()), (0, 1));
}

#[test]
fn dropping_disarms() {
    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let mut sleep = Box::pin(sleep(ms(10)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    drop(sleep);
    assert_eq!(Arc::strong_count(&woken), 2, "the waker was let go of");
    assert_eq!(hand.advance(ms(20)), 0);
    assert_eq!(woken.count(), 0);
}

#[test]
fn resetting_moves_the_waker_along() {
    let hand = Hand::new();
    let start = Instant::now();
    let (woken, waker) = Woken::new();
    let mut sleep = pin!(sleep_until(start + ms(100)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());

    sleep.as_mut().reset(start + ms(300));
    assert_eq!(sleep.deadline(), start + ms(300));
    assert_eq!(hand.advance(ms(200)), 0, "not at the old one");
    sleep.as_mut().reset(start + ms(250));
    assert_eq!(hand.advance(ms(50)), 1);
    assert_eq!(woken.count(), 1);

    sleep.as_mut().reset(start + ms(400));
    assert!(!sleep.is_elapsed());
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    assert_eq!(hand.advance(ms(150)), 1);
    assert!(poll(sleep.as_mut(), &waker).is_ready());

    sleep.as_mut().reset(start + ms(500));
    assert!(
        poll(sleep.as_mut(), &waker).is_pending(),
        "after it was seen to be done"
    );
    assert_eq!(hand.advance(ms(100)), 1);
}

#[test]
fn resetting_to_the_past_is_done_at_once() {
    let hand = Hand::new();
    let start = Instant::now();
    let (woken, waker) = Woken::new();
    let mut sleep = pin!(sleep_until(start + ms(100)));
    assert!(poll(sleep.as_mut(), &waker).is_pending());
    // Nothing was due, so the wheel has not seen that time went by.
    hand.advance(ms(50));
    sleep.as_mut().reset(start + ms(40));
    assert_eq!(woken.count(), 1);
    assert!(poll(sleep.as_mut(), &waker).is_ready());

    sleep.as_mut().reset(start + ms(60));
    assert!(!sleep.is_elapsed());
    hand.advance(ms(10));
    assert!(sleep.is_elapsed(), "reset, and not polled since");
}

#[test]
fn a_timeout_polls_its_future_first() {
    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let start = Instant::now();
    assert_eq!(
        poll(pin!(timeout_at(start, ready(1))), &waker),
        Poll::Ready(Ok(1))
    );
    let late = poll(pin!(timeout_at(start, pending::<()>())), &waker);
    assert!(matches!(late, Poll::Ready(Err(_))));

    let mut future = pin!(timeout(ms(300), pending::<()>()));
    assert!(poll(future.as_mut(), &waker).is_pending());
    hand.advance(ms(301));
    assert_eq!(woken.count(), 1);
    let Poll::Ready(Err(elapsed)) = poll(future.as_mut(), &waker) else {
        panic!("it is over")
    };
    assert_eq!(elapsed.to_string(), "deadline has elapsed");
    assert_eq!(
        std::io::Error::from(elapsed).kind(),
        std::io::ErrorKind::TimedOut
    );
}

#[test]
fn an_endless_timeout_never_ends() {
    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let mut future = pin!(timeout(Duration::MAX, pending::<()>()));
    assert!(poll(future.as_mut(), &waker).is_pending());
    hand.advance(Duration::from_secs(100 * 365 * 86_400));
    assert!(poll(future.as_mut(), &waker).is_pending());
    assert_eq!(woken.count(), 0);
}

#[test]
fn a_timeout_gives_its_future_back() {
    let _hand = Hand::new();
    let mut future = timeout(ms(1), ready(String::from("a")));
    future.get_mut().clone_from(&ready(String::from("b")));
    assert_eq!(future.get_ref().clone().into_inner(), "b");
    assert_eq!(future.into_inner().into_inner(), "b");
}

#[test]
fn after_shutdown_nothing_is_armed_and_nothing_waits_for_ever() {
    let refused = |sleep: Pin<&mut Sleep>, waker: &Waker| {
        let polled = catch_unwind(AssertUnwindSafe(|| poll(sleep, waker)));
        let message = *polled.unwrap_err().downcast::<&str>().unwrap();
        assert!(message.contains("being shutdown"), "{message}");
    };

    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let mut before = pin!(sleep(ms(10)));
    assert!(poll(before.as_mut(), &waker).is_pending());
    hand.timers.shutdown();
    assert_eq!(woken.count(), 1, "whoever waits is told");
    assert!(!before.is_elapsed());
    refused(before.as_mut(), &waker);
    let mut after = pin!(sleep(ms(10)));
    refused(after.as_mut(), &waker);
    assert_eq!(Arc::strong_count(&woken), 2, "no waker is kept");
    hand.advance(ms(10));
    assert!(poll(before.as_mut(), &waker).is_ready());
    assert!(poll(after.as_mut(), &waker).is_ready());
    hand.timers.shutdown();
}

#[test]
fn auto_traits_are_tokios() {
    fn shared<T: Send + Sync>(_: &T) {}
    fn movable<T: Unpin>(_: &T) {}
    /// Ambiguous, and so does not compile, if `T: Unpin`.
    trait Pinned<Marker> {
        fn pinned(&self) {}
    }
    struct Any;
    struct Movable;
    impl<T: ?Sized> Pinned<Any> for T {}
    impl<T: ?Sized + Unpin> Pinned<Movable> for T {}

    let _hand = Hand::new();
    let sleep = sleep(ms(1));
    shared(&sleep);
    sleep.pinned();
    let timeout = timeout(ms(1), ready(()));
    shared(&timeout);
    timeout.pinned();
    let interval = interval(ms(1));
    shared(&interval);
    movable(&interval);
    let advance = advance(ms(1));
    shared(&advance);
    advance.pinned();
    shared(&call_later(ms(1), || {}));
}

/// A waker that drops other sleeps, when it is woken or dropped, or panics.
struct Nasty {
    sleeps: Mutex<Vec<Pin<Box<Sleep>>>>,
    panics: bool,
}

impl Nasty {
    fn waker(panics: bool, sleeps: Vec<Pin<Box<Sleep>>>) -> Waker {
        Waker::from(Arc::new(Nasty {
            sleeps: Mutex::new(sleeps),
            panics,
        }))
    }
}

impl Wake for Nasty {
    fn wake(self: Arc<Self>) {
        let sleeps = std::mem::take(&mut *self.sleeps.lock().unwrap());
        drop(sleeps);
        assert!(!self.panics, "a waker that panics");
    }
}

fn armed(after: Duration, waker: &Waker) -> Pin<Box<Sleep>> {
    let mut sleep = Box::pin(sleep(after));
    assert!(poll(sleep.as_mut(), waker).is_pending());
    sleep
}

#[test]
fn wakers_that_come_back_or_panic_harm_nobody() {
    let hand = Hand::new();
    let (woken, waker) = Woken::new();
    let same_shard = || (0..50).map(|_| armed(ms(10), &waker)).collect::<Vec<_>>();

    let mut kept = Vec::new();
    kept.push(armed(ms(10), &Nasty::waker(true, same_shard())));
    kept.push(armed(ms(10), &Nasty::waker(false, same_shard())));
    kept.push(armed(ms(10), &waker));
    drop(armed(ms(10), &Nasty::waker(false, same_shard())));
    assert_eq!(hand.timers.turn(), 0);

    hand.advance(ms(10));
    assert!(woken.count() > 0);
    for sleep in &mut kept {
        assert!(poll(sleep.as_mut(), &waker).is_ready());
    }
    // The shard works as before.
    let mut after = armed(ms(10), &waker);
    assert_eq!(hand.advance(ms(10)), 1);
    assert!(poll(after.as_mut(), &waker).is_ready());

    let last = armed(ms(10), &Nasty::waker(true, same_shard()));
    hand.timers.shutdown();
    drop(last);
}
