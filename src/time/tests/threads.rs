//! Many threads at one wheel.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::hand::{ms, poll, timers, Woken};
use crate::sync::Arc;
use crate::time::{call_later, enter, sleep, Clock, ParkFor, Timers};

/// Turns the wheel and runs what was launched, until it is told to stop.
fn drive(timers: &Timers, stop: &AtomicBool, run: impl Fn()) {
    while !stop.load(Ordering::SeqCst) {
        timers.turn();
        run();
        thread::yield_now();
    }
    while timers.park_for() != ParkFor::Forever {
        timers.turn();
        thread::yield_now();
    }
    run();
}

#[test]
fn exactly_one_of_fire_and_cancel_wins() {
    let (timers, host) = timers(Clock::new(false, false));
    let stop = AtomicBool::new(false);
    let ran = Arc::new(AtomicUsize::new(0));
    let dropped = Arc::new(AtomicUsize::new(0));
    let cancelled = AtomicUsize::new(0);

    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    const EACH: usize = 3000;
    thread::scope(|scope| {
        let driving = scope.spawn(|| drive(&timers, &stop, || drop(host.run())));
        let cancelling = [1, 2, 3].map(|seed| {
            let (timers, ran, dropped) = (&timers, &ran, &dropped);
            let cancelled = &cancelled;
            scope.spawn(move || {
                let _current = enter(timers);
                let mut handles = std::collections::VecDeque::new();
                for n in 0..EACH {
                    let (ran, dropped) = (ran.clone(), Dropped(dropped.clone()));
                    let after = ms((n * seed % 3) as u64);
                    handles.push_back(call_later(after, move || {
                        ran.fetch_add(1, Ordering::SeqCst);
                        drop(dropped);
                    }));
                    // Cancel them when they are about to be due.
                    if handles.len() > 40 {
                        let won = handles.pop_front().unwrap().cancel();
                        cancelled.fetch_add(usize::from(won), Ordering::SeqCst);
                    }
                    if n % 64 == 0 {
                        thread::yield_now();
                    }
                }
            })
        });
        cancelling
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        stop.store(true, Ordering::SeqCst);
        driving.join().unwrap();
    });
    let (ran, cancelled) = (ran.load(Ordering::SeqCst), cancelled.load(Ordering::SeqCst));
    assert_eq!(
        ran + cancelled,
        3 * EACH,
        "{ran} ran, {cancelled} were cancelled"
    );
    assert_eq!(dropped.load(Ordering::SeqCst), 3 * EACH);
}

#[test]
fn sleeps_that_move_between_threads_are_all_woken() {
    let timers = Timers::new(2, Clock::new(false, false));
    let stop = AtomicBool::new(false);
    let (woken, waker) = Woken::new();
    thread::scope(|scope| {
        let driving = [(); 2].map(|()| scope.spawn(|| drive(&timers, &stop, || {})));
        let mut made: Vec<_> = [1, 2]
            .map(|_| {
                let (timers, waker) = (&timers, &waker);
                scope.spawn(move || {
                    let _current = enter(timers);
                    let sleeps = (0..500).map(|n| {
                        let mut sleep = Box::pin(sleep(ms(n % 5)));
                        let ready = poll(sleep.as_mut(), waker).is_ready();
                        (sleep, ready)
                    });
                    sleeps.collect::<Vec<_>>()
                })
            })
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let waited = made.iter().filter(|(_, ready)| !ready).count();
        assert!(waited > 0);
        while woken.count() < waited {
            thread::yield_now();
        }
        assert!(made
            .iter_mut()
            .all(|(sleep, _)| poll(sleep.as_mut(), &waker).is_ready()));
        stop.store(true, Ordering::SeqCst);
        driving
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}
