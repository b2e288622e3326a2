//! What a Context costs in allocations: none when empty, one for each `with_key`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use kamon::{Context, Key};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static NUMBER: Key<u64> = Key::local("allocations number", || 0);
static OTHER: Key<u64> = Key::local("allocations other", || 0);
static STAYS: Key<u64> = Key::local("allocations stays", || 0).not_inherited();

fn allocations<R>(f: impl FnOnce() -> R) -> (usize, R) {
    let before = ALLOCATIONS.get();
    let result = f();
    (ALLOCATIONS.get() - before, result)
}

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
    let (count, ()) = allocations(|| {
        let empty = Context::empty();
        black_box((empty.get(&NUMBER), empty.contains(&OTHER), empty.clone()));
        black_box(kamon::current_context());
        kamon::with_context(empty, || black_box(kamon::current_context().is_empty()));
    });
    assert_eq!(count, 0);
    let (count, ()) = allocations(|| {
        black_box((all.get(&NUMBER), all.clone() == all));
        kamon::with_context(all.clone(), || black_box(kamon::current_context()));
    });
    assert_eq!(count, 0, "neither does what is there");
}

#[test]
fn each_change_allocates_once() {
    warm_up();
    let (count, one) = allocations(|| Context::empty().with_key(&NUMBER, 1));
    assert_eq!(count, 1, "the first key");
    let (count, two) = allocations(|| one.with_key(&OTHER, 2));
    assert_eq!(count, 1, "one more");
    let (count, _) = allocations(|| two.with_key(&NUMBER, 3));
    assert_eq!(count, 1, "another value");
    let (count, _) = allocations(|| two.without_key(&NUMBER));
    assert_eq!(count, 1, "taking one out");
    let (count, _) = allocations(|| one.without_key(&NUMBER));
    assert_eq!(count, 0, "taking out the last");
}

#[test]
fn wrapping_allocates_only_where_something_stays_behind() {
    let all = warm_up();
    kamon::with_context(all.without_key(&STAYS), || {
        let (count, ()) = allocations(|| kamon::wrap(|| ())());
        assert_eq!(count, 0);
    });
    kamon::with_context(all, || {
        let (count, seen) = allocations(|| {
            kamon::wrap(|| kamon::context::wrap_fn(|| *kamon::current_context().get(&NUMBER))())()
        });
        assert_eq!((count, seen), (1, 1));
    });
}
