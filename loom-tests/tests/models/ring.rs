//! What goes into a ring comes out once, in order, and what does not fit is handed back: each is
//! counted exactly once.

use kamon_loomed::__model::{ParcelFunnel, ParcelProducer, ParcelRing};
use loom::sync::Arc;
use loom::thread;

use crate::model::check_bounded;
use crate::model::witness::expect;

/// Pushes so many, numbered from `first`, and returns those that fitted.
fn push_all(push: impl Fn(u32) -> bool, first: u32, number: u32) -> Vec<u32> {
    (first..first + number).filter(|item| push(*item)).collect()
}

fn push_to(producer: &ParcelProducer, first: u32, number: u32) -> Vec<u32> {
    push_all(|item| producer.push(item), first, number)
}

/// More are pushed than there is room for, while the ring is being emptied.
#[test]
fn a_full_ring_hands_back_and_loses_nothing() {
    check_bounded("a_full_ring_hands_back_and_loses_nothing", 3, || {
        let ring = Arc::new(ParcelRing::new(2));
        let producer = ring.claim().expect("nobody else claims it");
        let thread = thread::spawn(move || push_to(&producer, 0, 4));
        let mut taken = ring.drain();
        taken.extend(ring.drain());
        let pushed = thread.join().unwrap();
        expect(
            ring.len() == pushed.len() - taken.len(),
            "what was pushed and not taken is inside",
        );
        taken.extend(ring.drain());
        expect(
            taken == pushed,
            "what is pushed comes out, once and in order",
        );
    });
}

/// Two threads empty one ring: a flush meets the drain.
#[test]
fn whoever_empties_a_ring_takes_what_nobody_else_does() {
    check_bounded(
        "whoever_empties_a_ring_takes_what_nobody_else_does",
        3,
        || {
            let ring = Arc::new(ParcelRing::new(2));
            let producer = ring.claim().expect("nobody else claims it");
            let of_thread = ring.clone();
            let thread = thread::spawn(move || of_thread.drain());
            let pushed = push_to(&producer, 0, 3);
            let mut taken = ring.drain();
            expect(ring.len() == 0, "all that was pushed before is taken");
            taken.extend(thread.join().unwrap());
            taken.sort_unstable();
            expect(taken == pushed, "what is pushed is taken once");
        },
    );
}

/// A thread ends with items in its ring, and another one goes on with it.
#[test]
fn a_ring_changes_hands_with_what_is_inside() {
    check_bounded("a_ring_changes_hands_with_what_is_inside", 3, || {
        let ring = Arc::new(ParcelRing::new(2));
        let of_thread = ring.clone();
        let thread = thread::spawn(move || match of_thread.claim() {
            Some(producer) => push_to(&producer, 10, 2),
            None => Vec::new(),
        });
        let mine = match ring.claim() {
            Some(producer) => push_to(&producer, 0, 1),
            None => Vec::new(),
        };
        let mut taken = ring.drain();
        let theirs = thread.join().unwrap();
        expect(
            !mine.is_empty() || !theirs.is_empty(),
            "one of them gets the ring",
        );
        taken.extend(ring.drain());
        let of = |least: u32, most: u32| {
            let in_range = |item: &u32| (least..most).contains(item);
            taken.iter().copied().filter(in_range).collect::<Vec<_>>()
        };
        expect(
            of(0, 10) == mine,
            "what one thread pushes comes out in order",
        );
        expect(of(10, 20) == theirs, "and so does what the next one pushes");
        expect(
            taken.len() == mine.len() + theirs.len(),
            "nothing comes out that did not go in",
        );
    });
}

/// What is inside goes with the ring.
#[test]
fn a_ring_drops_what_nobody_took() {
    check_bounded("a_ring_drops_what_nobody_took", 3, || {
        let ring = Arc::new(ParcelRing::new(2));
        let producer = ring.claim().expect("nobody else claims it");
        let thread = thread::spawn(move || push_to(&producer, 0, 2).len());
        ring.drain();
        // Whoever lets go last frees what is left: loom reports what is not.
        drop(ring);
        thread.join().unwrap();
    });
}

/// Two threads push more than there is room for into the ring that all share.
#[test]
fn a_full_funnel_hands_back_and_loses_nothing() {
    check_bounded("a_full_funnel_hands_back_and_loses_nothing", 2, || {
        let funnel = Arc::new(ParcelFunnel::new(2));
        let of_thread = funnel.clone();
        let thread = thread::spawn(move || push_all(|item| of_thread.push(item), 10, 2));
        let mine = push_all(|item| funnel.push(item), 0, 2);
        let mut taken = funnel.drain();
        let theirs = thread.join().unwrap();
        expect(
            funnel.len() == mine.len() + theirs.len() - taken.len(),
            "what was pushed and not taken is inside",
        );
        taken.extend(funnel.drain());
        expect(taken.len() >= 2, "what fits is not handed back");
        let of = |least: u32| {
            let in_range = |item: &u32| (least..least + 10).contains(item);
            taken.iter().copied().filter(in_range).collect::<Vec<_>>()
        };
        expect(of(0) == mine, "what one thread pushes comes out in order");
        expect(of(10) == theirs, "and so does what the other one pushes");
        expect(
            taken.len() == mine.len() + theirs.len(),
            "what is pushed is taken once",
        );
    });
}

/// A funnel is emptied while it is filled, so that slots are used again.
#[test]
fn a_slot_of_a_funnel_is_used_again() {
    check_bounded("a_slot_of_a_funnel_is_used_again", 3, || {
        let funnel = Arc::new(ParcelFunnel::new(1));
        let of_thread = funnel.clone();
        let thread = thread::spawn(move || push_all(|item| of_thread.push(item), 0, 3));
        let mut taken = funnel.drain();
        taken.extend(funnel.drain());
        let pushed = thread.join().unwrap();
        taken.extend(funnel.drain());
        expect(
            taken == pushed,
            "what is pushed comes out, once and in order",
        );
    });
}
