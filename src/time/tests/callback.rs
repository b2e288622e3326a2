//! Callbacks: once, in their Context, or not at all.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::hand::{ms, timers, HandHost};
use crate::context::{current_context, with_context_key, Key};
use crate::time::{call_later, enter, Clock, CurrentTimers, TimerHandle, Timers};

static NAME: Key<u32> = Key::local("time-test-name", || 0);

struct Hand {
    timers: Arc<Timers>,
    host: Arc<HandHost>,
    _current: CurrentTimers,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Notes in which Context it is dropped; may panic then.
struct Noted(Arc<Mutex<Vec<String>>>, bool);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0
            .lock()
            .unwrap()
            .push(format!("dropped in {}", current_context().get(&NAME)));
        assert!(!self.1, "a callback whose drop panics");
    }
}

impl Hand {
    fn new() -> Hand {
        let (timers, host) = timers(Clock::new(true, true));
        let current = enter(&timers);
        Hand {
            timers,
            host,
            _current: current,
            seen: Arc::default(),
        }
    }

    fn call(&self, after: Duration, name: u32, panics: bool) -> TimerHandle {
        let noted = Noted(self.seen.clone(), panics);
        with_context_key(&NAME, name, || {
            call_later(after, move || {
                let line = format!("ran in {}", current_context().get(&NAME));
                noted.0.lock().unwrap().push(line);
            })
        })
    }

    fn advance(&self, by: Duration) {
        self.timers.clock().advance(by).unwrap();
        self.timers.turn();
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

#[test]
fn runs_once_in_the_context_of_the_call() {
    let hand = Hand::new();
    let handle = hand.call(ms(10), 7, false);
    hand.advance(ms(9));
    assert_eq!(hand.host.launched(), 0);
    hand.advance(ms(1));
    assert_eq!(hand.host.launched(), 1);
    assert!(!handle.is_finished(), "it has not run yet");
    assert!(!handle.cancel(), "and cannot be stopped any more");
    let places = hand.host.run();
    assert_eq!(places[0].file(), file!());
    assert_eq!(hand.seen(), ["ran in 7", "dropped in 7"]);
    assert!(handle.is_finished());
    hand.advance(ms(100));
    assert_eq!(hand.host.launched(), 0);
    assert!(current_context().is_empty());
}

#[test]
fn is_not_finished_while_it_runs() {
    let hand = Hand::new();
    let handle: Arc<Mutex<Option<TimerHandle>>> = Arc::default();
    let (inside, seen) = (handle.clone(), hand.seen.clone());
    let made = call_later(ms(1), move || {
        let finished = inside.lock().unwrap().as_ref().unwrap().is_finished();
        seen.lock().unwrap().push(finished.to_string());
    });
    *handle.lock().unwrap() = Some(made);
    hand.advance(ms(1));
    hand.host.run();
    assert_eq!(hand.seen(), ["false"]);
    assert!(handle.lock().unwrap().as_ref().unwrap().is_finished());
}

#[test]
fn dropping_the_handle_lets_it_run() {
    let hand = Hand::new();
    drop(hand.call(ms(10), 7, false));
    hand.advance(ms(10));
    hand.host.run();
    assert_eq!(hand.seen(), ["ran in 7", "dropped in 7"]);
}

#[test]
fn cancelling_drops_it_in_its_context() {
    let hand = Hand::new();
    let handle = hand.call(ms(10), 7, false);
    assert!(!handle.is_finished());
    with_context_key(&NAME, 8, || {
        assert!(handle.cancel());
        assert_eq!(*current_context().get(&NAME), 8);
    });
    assert_eq!(hand.seen(), ["dropped in 7"]);
    assert!(handle.is_finished());
    assert!(!handle.cancel(), "only the first call prevents it");
    hand.advance(ms(20));
    assert_eq!(hand.host.launched(), 0);
}

#[test]
fn shutdown_drops_it_in_its_context() {
    let hand = Hand::new();
    let waiting = hand.call(ms(10), 7, false);
    hand.timers.shutdown();
    assert_eq!(hand.seen(), ["dropped in 7"]);
    assert!(waiting.is_finished());
    assert!(!waiting.cancel());

    let refused = hand.call(ms(10), 9, false);
    assert_eq!(hand.seen(), ["dropped in 9"]);
    assert!(refused.is_finished());
}

#[test]
fn a_panic_in_its_drop_is_contained() {
    let hand = Hand::new();
    assert!(hand.call(ms(10), 1, true).cancel());
    let handle = hand.call(ms(10), 2, true);
    let other = hand.call(ms(10), 3, false);
    hand.timers.shutdown();
    assert!(handle.is_finished() && other.is_finished());
    drop(hand.call(ms(10), 4, true));
    let mut seen = hand.seen();
    seen.sort();
    assert_eq!(
        seen,
        [
            "dropped in 1",
            "dropped in 2",
            "dropped in 3",
            "dropped in 4"
        ]
    );
    assert!(current_context().is_empty());
}

#[test]
fn without_a_runtime_it_is_dropped_when_it_is_due() {
    let hand = Hand::new();
    let handle = hand.call(ms(10), 7, false);
    let Hand {
        timers,
        host,
        _current,
        seen,
    } = hand;
    drop(host);
    timers.clock().advance(ms(10)).unwrap();
    assert_eq!(timers.turn(), 1);
    assert_eq!(*seen.lock().unwrap(), ["dropped in 7"]);
    assert!(handle.is_finished());
}

#[test]
fn no_delay_runs_it_as_a_task_all_the_same() {
    let hand = Hand::new();
    let handle = hand.call(Duration::ZERO, 7, false);
    assert_eq!(hand.seen(), [] as [&str; 0], "not inside the call");
    assert!(!handle.cancel());
    hand.host.run();
    assert_eq!(hand.seen(), ["ran in 7", "dropped in 7"]);
}

#[test]
fn many_fire_in_the_order_of_their_deadlines() {
    let hand = Hand::new();
    for name in (1..=200).rev() {
        drop(hand.call(ms(name * 7), name as u32, false));
    }
    hand.advance(ms(2000));
    hand.host.run();
    let ran: Vec<_> = hand
        .seen()
        .into_iter()
        .filter(|line| line.starts_with("ran"))
        .collect();
    assert_eq!(
        ran,
        (1..=200)
            .map(|name| format!("ran in {name}"))
            .collect::<Vec<_>>()
    );
}
