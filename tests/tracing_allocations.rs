//! Entering a tracing span allocates nothing, whether or not it changes what is current.
#![cfg(feature = "tracing")]

mod counting;
mod subscribed;
mod witness;

use counting::counted;
use kamon::with_context;
use subscribed::span;
use witness::{current, request};

/// How many allocations this thread makes in `f`, once it has what it keeps.
fn allocations(f: impl Fn()) -> usize {
    (0..10).for_each(|_| f());
    counted(|| (0..100).for_each(|_| f())).0
}

#[test]
fn entering_allocates_nothing() {
    let (one, two) = (span(1), span(2));
    let enter = || {
        one.in_scope(|| two.in_scope(|| assert_eq!(current(), 2)));
    };
    assert_eq!(allocations(enter), 0, "in nobody's Context");
    assert_eq!(
        with_context(request(3), || allocations(enter)),
        0,
        "in another's"
    );
    let own = one.in_scope(kamon::current_context);
    let enter = || one.in_scope(|| assert_eq!(current(), 1));
    assert_eq!(with_context(own, || allocations(enter)), 0, "in its own");
    let make = || drop(std::hint::black_box(Box::new(1)));
    assert_eq!(allocations(make), 100, "they are counted");
}
