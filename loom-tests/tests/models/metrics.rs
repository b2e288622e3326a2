//! Each recording is in exactly one period of each subscriber.

use kamon_loomed::__model::SeatedSum;
use kamon_loomed::metrics::{self, Subscription, Value};
use loom::sync::Arc;
use loom::thread;
use std::time::Duration;

use crate::model::check_bounded;
use crate::model::witness::expect;

fn subscribe() -> Subscription {
    metrics::subscribe("modelled", Duration::from_secs(60))
}

fn counted(subscription: &mut Subscription) -> u64 {
    subscription.snapshot().counter("modelled").unwrap_or(0)
}

/// Two threads make one instrument and count, while two subscribers look.
#[test]
fn what_is_counted_is_in_one_period() {
    check_bounded("what_is_counted_is_in_one_period", 2, || {
        let mut often = subscribe();
        let mut seldom = subscribe();
        let threads = [1, 2]
            .map(|times| thread::spawn(move || metrics::counter("modelled").increment_by(times)));
        let mut sum = counted(&mut often);
        sum += counted(&mut often);
        for thread in threads {
            thread.join().unwrap();
        }
        sum += counted(&mut often);
        expect(sum == 3, "who looks often sees all, and nothing twice");
        expect(counted(&mut seldom) == 3, "and so does who looks once");
    });
}

/// An instrument counts and goes, while a subscriber looks. What comes then is another one.
#[test]
fn what_was_counted_before_the_removal_is_seen() {
    check_bounded("what_was_counted_before_the_removal_is_seen", 3, || {
        let mut subscription = subscribe();
        let counter = metrics::counter("modelled");
        counter.increment();
        let mut sum = counted(&mut subscription);
        let thread = thread::spawn(move || {
            counter.increment_by(2);
            expect(counter.remove(), "it was there");
            metrics::counter("modelled").increment_by(4);
        });
        sum += counted(&mut subscription);
        thread.join().unwrap();
        sum += counted(&mut subscription);
        expect(sum == 7, "nothing is lost with an instrument");
    });
}

/// A number goes up and down, while a subscriber samples it.
#[test]
fn a_peak_is_seen_however_short() {
    check_bounded("a_peak_is_seen_however_short", 3, || {
        let mut subscription = subscribe();
        let range = metrics::range_sampler("modelled");
        range.increment();
        let thread = thread::spawn(move || {
            range.increment_by(4);
            range.decrement_by(3);
        });
        let mut greatest = 0;
        let mut look = |last| {
            let period = subscription.snapshot();
            let one = period.named("modelled").next();
            if let Some(Value::Range(range)) = one.map(|one| one.value()) {
                greatest = greatest.max(range.samples.max());
                if last {
                    expect(range.current == 2, "the number is what it is");
                }
            }
        };
        look(false);
        thread.join().unwrap();
        look(true);
        expect(greatest == 5, "the peak is in a period");
    });
}

/// Threads that come, count and end take over one another's seats.
#[test]
fn a_seat_that_changes_hands_loses_no_count() {
    check_bounded("a_seat_that_changes_hands_loses_no_count", 2, || {
        let sum = Arc::new(SeatedSum::new());
        let threads = [0, 1].map(|_| {
            let sum = sum.clone();
            thread::spawn(move || sum.visit(1))
        });
        let before = sum.read();
        expect(before <= sum.read(), "a sum is never seen to go back");
        for thread in threads {
            thread.join().unwrap();
        }
        expect(sum.read() == 2, "every visit is counted");
    });
}

/// An instrument comes while somebody subscribes: it is known to the subscriber, and once.
#[test]
fn an_instrument_and_a_subscriber_come_at_the_same_time() {
    check_bounded(
        "an_instrument_and_a_subscriber_come_at_the_same_time",
        3,
        || {
            let thread = thread::spawn(|| metrics::counter("modelled").increment());
            let mut subscription = subscribe();
            thread.join().unwrap();
            metrics::counter("modelled").increment_by(2);
            let sum = counted(&mut subscription);
            expect(sum == 2 || sum == 3, "the instrument is known, and once");
        },
    );
}
