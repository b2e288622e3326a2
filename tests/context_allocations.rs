//! What a Context costs in allocations: none when empty, one for each `with_key`.

mod counting;

use std::hint::black_box;

use counting::counted;
use kamon::{Context, Key};

static NUMBER: Key<u64> = Key::local("allocations number", || 0);
static OTHER: Key<u64> = Key::local("allocations other", || 0);
static STAYS: Key<u64> = Key::local("allocations stays", || 0).not_inherited();

/// Registers the keys, which allocates once for each.
fn warm_up() -> Context {
    Context::empty()
        .with_key(&NUMBER, 1)
        .with_key(&OTHER, 2)
        .with_key(&STAYS, 3)
}

#[test]
fn empty_allocates_nothing() {
    let all = warm_up();
    let (count, ()) = counted(|| {
        let empty = Context::empty();
        black_box((empty.get(&NUMBER), empty.contains(&OTHER), empty.clone()));
        black_box(kamon::current_context());
        kamon::with_context(empty, || black_box(kamon::current_context().is_empty()));
    });
    assert_eq!(count, 0);
    let (count, ()) = counted(|| {
        black_box((all.get(&NUMBER), all.clone() == all));
        kamon::with_context(all.clone(), || black_box(kamon::current_context()));
    });
    assert_eq!(count, 0, "neither does what is there");
}

#[test]
fn each_change_allocates_once() {
    warm_up();
    let (count, one) = counted(|| Context::empty().with_key(&NUMBER, 1));
    assert_eq!(count, 1, "the first key");
    let (count, two) = counted(|| one.with_key(&OTHER, 2));
    assert_eq!(count, 1, "one more");
    let (count, _) = counted(|| two.with_key(&NUMBER, 3));
    assert_eq!(count, 1, "another value");
    let (count, _) = counted(|| two.without_key(&NUMBER));
    assert_eq!(count, 1, "taking one out");
    let (count, _) = counted(|| one.without_key(&NUMBER));
    assert_eq!(count, 0, "taking out the last");
}

#[test]
fn wrapping_allocates_only_where_something_stays_behind() {
    let all = warm_up();
    kamon::with_context(all.without_key(&STAYS), || {
        let (count, ()) = counted(|| kamon::wrap(|| ())());
        assert_eq!(count, 0);
    });
    kamon::with_context(all, || {
        let (count, seen) = counted(|| {
            kamon::wrap(|| kamon::context::wrap_fn(|| *kamon::current_context().get(&NUMBER))())()
        });
        assert_eq!((count, seen), (1, 1));
    });
}
