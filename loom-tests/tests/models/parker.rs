//! A wake that comes before, during or after the lying down ends the sleep.

use kamon_loomed::__model::Parker;
use loom::sync::Arc;
use loom::thread;

use crate::model::check_bounded;
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Two threads announce something and call; the sleeper goes on until it has seen both. What was
/// done before a call is seen after the sleep that it ends.
fn called_twice(name: &str, sleep: fn(&Parker)) {
    check_bounded(name, 3, move || {
        let place = Arc::new((Parker::new(), AtomicUsize::new(0), AtomicUsize::new(0)));
        let callers = [0, 1].map(|number| {
            let place = place.clone();
            thread::spawn(move || {
                let (parker, first, second) = &*place;
                [first, second][number].store(1, Relaxed);
                parker.unpark();
            })
        });
        let (parker, first, second) = &*place;
        parker.attach();
        while first.load(Relaxed) + second.load(Relaxed) < 2 {
            sleep(parker);
        }
        for caller in callers {
            caller.join().unwrap();
        }
    });
}

#[test]
fn a_call_ends_a_sleep() {
    called_twice("a_call_ends_a_sleep", Parker::park);
}

#[test]
fn a_call_ends_a_sleep_in_the_driver() {
    called_twice("a_call_ends_a_sleep_in_the_driver", |parker| {
        parker.park_driving(None, &|| false);
    });
}
