//! What goes into the injector comes out once and in order, however its blocks (of two items, here) begin
//! and end meanwhile.

use kamon_loomed::__model::ParcelInjector;
use loom::sync::Arc;
use loom::thread;

use crate::model::check_bounded;
use crate::model::witness::expect;
use crate::sync::atomic::{AtomicBool, Ordering};

/// Pushes so many, numbered from `first`, and returns those that were taken in.
fn push(injector: &ParcelInjector, first: u32, number: u32) -> Vec<u32> {
    (first..first + number)
        .filter(|item| injector.push(*item))
        .collect()
}

/// Those of a thread that numbers its items from `first`.
fn of(taken: &[u32], first: u32) -> Vec<u32> {
    let in_range = |item: &u32| (first..first + 10).contains(item);
    taken.iter().copied().filter(in_range).collect()
}

/// Two threads push while a third takes: a block is filled, another put in behind it, and the first
/// taken away.
#[test]
fn pushes_meet_at_the_end_of_a_block() {
    check_bounded("pushes_meet_at_the_end_of_a_block", 3, || {
        let injector = Arc::new(ParcelInjector::new());
        let of_thread = injector.clone();
        let thread = thread::spawn(move || push(&of_thread, 10, 2));
        let mine = push(&injector, 0, 1);
        let mut taken = injector.take(3);
        let theirs = thread.join().unwrap();
        taken.extend(injector.take(3));
        expect(of(&taken, 0) == mine, "what one thread pushes comes out");
        expect(
            of(&taken, 10) == theirs,
            "and what the other pushes, in order",
        );
        expect(taken.len() == 3, "all that is pushed is taken, once");
    });
}

/// One pushes and two take, so that one of them leaves a block that the other has just taken from, and
/// the block is used again.
#[test]
fn a_block_is_left_and_used_again() {
    check_bounded("a_block_is_left_and_used_again", 2, || {
        let injector = Arc::new(ParcelInjector::new());
        push(&injector, 0, 2);
        let of_thread = injector.clone();
        let thread = thread::spawn(move || [of_thread.take(2), of_thread.take(3)].concat());
        let taken = injector.take(1);
        push(&injector, 2, 3);
        let theirs = thread.join().unwrap();
        let rest = injector.take(5);
        let ordered = |items: &[u32]| items.windows(2).all(|pair| pair[0] < pair[1]);
        expect(
            [&taken, &theirs, &rest].iter().all(|items| ordered(items)),
            "whoever takes does so in order",
        );
        let mut all = [taken, theirs, rest].concat();
        all.sort_unstable();
        expect(all == [0, 1, 2, 3, 4], "all that is pushed is taken, once");
    });
}

/// The injector is closed while somebody pushes: whatever was taken in can be taken out by who closed it, be
/// it still on its way.
#[test]
fn a_push_racing_the_close() {
    check_bounded("a_push_racing_the_close", 3, || {
        let injector = Arc::new(ParcelInjector::new());
        let of_thread = injector.clone();
        let thread = thread::spawn(move || push(&of_thread, 0, 3));
        injector.close();
        let mut taken = Vec::new();
        loop {
            let some = injector.take(1);
            if some.is_empty() {
                break;
            }
            taken.extend(some);
        }
        let pushed = thread.join().unwrap();
        expect(taken == pushed, "what is taken in comes out, in order");
        expect(!injector.push(9), "and nothing is taken in any more");
    });
}

/// Somebody who neither pushes nor takes asks how many there are, meanwhile.
#[test]
fn a_length_is_never_more_than_there_is() {
    check_bounded("a_length_is_never_more_than_there_is", 3, || {
        let injector = Arc::new(ParcelInjector::new());
        let of_thread = injector.clone();
        let thread = thread::spawn(move || {
            let pushed = push(&of_thread, 0, 2);
            (pushed, of_thread.take(2))
        });
        expect(
            injector.len() <= 2,
            "the length is never more than there is",
        );
        let (pushed, taken) = thread.join().unwrap();
        expect(taken == pushed, "who has pushed all can take all");
        expect(injector.len() == 0, "and then there are none");
    });
}

/// One lies down and looks once more, two push and look who has: each push is seen or sees the other, without a
/// fence.
#[test]
fn a_push_is_seen_or_sees_who_lies_down() {
    check_bounded("a_push_is_seen_or_sees_who_lies_down", 3, || {
        let injector = Arc::new(ParcelInjector::new());
        let asleep = Arc::new(AtomicBool::new(false));
        let pushes = |first| {
            let (injector, asleep) = (injector.clone(), asleep.clone());
            move || {
                push(&injector, first, 1);
                asleep.load(Ordering::Relaxed)
            }
        };
        let (first, second) = (thread::spawn(pushes(0)), pushes(10));
        let other = {
            let (injector, asleep) = (injector.clone(), asleep.clone());
            thread::spawn(move || {
                asleep.store(true, Ordering::Relaxed);
                injector.is_empty_to_pushers()
            })
        };
        let seen = [second(), first.join().unwrap()];
        let sleeps = other.join().unwrap();
        expect(
            !sleeps || seen == [true, true],
            "no push is left to a sleeper",
        );
    });
}
