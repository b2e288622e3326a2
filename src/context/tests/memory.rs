//! What a Context keeps alive, and for how long.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use super::Tracked;
use crate::context::{current_context, with_context, Context, Key};

static A: Key<Option<Tracked>> = Key::local("memory a", || None);
static B: Key<Option<Tracked>> = Key::local("memory b", || None);
static C: Key<Option<Tracked>> = Key::local("memory c", || None);
static STAYS: Key<Option<Tracked>> = Key::local("memory stays", || None).not_inherited();

fn counter() -> Arc<AtomicUsize> {
    Arc::default()
}

fn alive(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::SeqCst)
}

fn number(context: &Context, key: &Key<Option<Tracked>>) -> Option<usize> {
    context.get(key).as_ref().map(|tracked| tracked.number)
}

#[test]
fn one_word() {
    assert_eq!(size_of::<Context>(), size_of::<usize>());
}

#[test]
fn values_go_with_the_last_context_that_shows_them() {
    let count = counter();
    let a = Context::empty().with_key(&A, Some(Tracked::new(1, &count)));
    let ab = a.with_key(&B, Some(Tracked::new(2, &count)));
    let again = ab.clone();
    drop((a, ab));
    assert_eq!(alive(&count), 2);
    assert_eq!((number(&again, &A), number(&again, &B)), (Some(1), Some(2)));
    let without_b = again.without_key(&B);
    drop(again);
    assert_eq!(alive(&count), 1, "only B was let go");
    assert_eq!(number(&without_b, &A), Some(1));
    drop(without_b);
    assert_eq!(alive(&count), 0);
}

#[test]
fn an_overridden_value_is_not_kept() {
    let count = counter();
    let mut context = Context::empty()
        .with_key(&A, Some(Tracked::new(1, &count)))
        .with_key(&B, Some(Tracked::new(2, &count)))
        .with_key(&C, Some(Tracked::new(3, &count)));
    for round in 10..1000 {
        context = context.with_key(&B, Some(Tracked::new(round, &count)));
        assert_eq!(alive(&count), 3, "round {round}");
        assert_eq!(number(&context, &A), Some(1));
        assert_eq!(number(&context, &B), Some(round));
        assert_eq!(number(&context, &C), Some(3));
    }
    drop(context);
    assert_eq!(alive(&count), 0);
}

#[test]
fn a_child_does_not_keep_what_stays_in_the_task() {
    let count = counter();
    let parent = Context::empty()
        .with_key(&A, Some(Tracked::new(1, &count)))
        .with_key(&STAYS, Some(Tracked::new(2, &count)))
        .with_key(&B, Some(Tracked::new(3, &count)));
    let child = parent.inherited();
    assert_eq!((number(&child, &A), number(&child, &B)), (Some(1), Some(3)));
    assert!(!child.contains(&STAYS));
    drop(parent);
    assert_eq!(
        alive(&count),
        2,
        "the child holds A and B, and not what it cannot show"
    );
    let grandchild = child.inherited();
    assert_eq!(grandchild, child, "nothing to filter: the same Context");
    drop((child, grandchild));
    assert_eq!(alive(&count), 0);

    let only = Context::empty().with_key(&STAYS, Some(Tracked::new(4, &count)));
    assert!(only.inherited().is_empty());
}

#[test]
fn contexts_made_from_filtered_ones_keep_their_values() {
    let count = counter();
    let context = Context::empty()
        .with_key(&A, Some(Tracked::new(1, &count)))
        .with_key(&B, Some(Tracked::new(2, &count)))
        .without_key(&A)
        .with_key(&C, Some(Tracked::new(3, &count)))
        .with_key(&A, Some(Tracked::new(4, &count)))
        .without_key(&C)
        .with_key(&STAYS, Some(Tracked::new(5, &count)))
        .inherited();
    assert_eq!(
        (number(&context, &A), number(&context, &B)),
        (Some(4), Some(2))
    );
    assert!(!context.contains(&C) && !context.contains(&STAYS));
    assert_eq!(alive(&count), 2);
    drop(context);
    assert_eq!(alive(&count), 0);
}

#[test]
fn zero_sized_and_over_aligned_values() {
    #[derive(Debug, PartialEq)]
    struct Nothing;
    #[repr(align(256))]
    #[derive(Debug, PartialEq)]
    struct Aligned(u8);
    static NOTHING: Key<Option<Nothing>> = Key::local("memory nothing", || None);
    static UNIT: Key<()> = Key::local("memory unit", || ());
    static ALIGNED: Key<Aligned> = Key::local("memory aligned", || Aligned(0));
    static BYTE: Key<u8> = Key::local("memory byte", || 0);

    let context = Context::empty().with_key(&BYTE, 7);
    let context = context.with_key(&ALIGNED, Aligned(8)).with_key(&UNIT, ());
    let context = context.with_key(&NOTHING, Some(Nothing)).with_key(&BYTE, 9);
    let aligned = context.get(&ALIGNED);
    assert_eq!(aligned, &Aligned(8));
    assert_eq!(std::ptr::from_ref(aligned) as usize % 256, 0);
    assert_eq!(context.get(&NOTHING), &Some(Nothing));
    assert!(context.contains(&UNIT));
    assert_eq!(context.get(&BYTE), &9);
    assert_eq!(context.without_key(&BYTE).get(&ALIGNED), &Aligned(8));
}

#[test]
fn a_long_chain_of_contexts_is_dropped_in_a_loop() {
    // Each Context stands on the one before. The stack would not do for one call each.
    const KEYS: usize = 2000;
    let count = counter();
    let keys: Vec<Key<Option<Tracked>>> = (0..KEYS)
        .map(|index| {
            Key::local(
                Box::leak(format!("memory chain {index}").into_boxed_str()),
                || None,
            )
        })
        .collect();
    let mut context = Context::empty();
    for (index, key) in keys.iter().enumerate() {
        context = context.with_key(key, Some(Tracked::new(index, &count)));
    }
    assert_eq!(alive(&count), KEYS);
    assert_eq!(number(&context, &keys[0]), Some(0));
    let small = std::thread::Builder::new().stack_size(16 * 1024);
    small.spawn(move || drop(context)).unwrap().join().unwrap();
    assert_eq!(alive(&count), 0);
}

#[test]
fn a_panicking_destructor_spares_nobody_else() {
    struct Bomb(#[allow(dead_code)] Tracked);
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("bomb"));
        }
    }
    static BOMB: Key<Option<Bomb>> = Key::local("memory bomb", || None);

    let count = counter();
    let bomb = || Some(Bomb(Tracked::new(0, &count)));
    let linked = Context::empty()
        .with_key(&A, Some(Tracked::new(1, &count)))
        .with_key(&BOMB, bomb())
        .with_key(&B, Some(Tracked::new(2, &count)));
    let flat = linked.with_key(&A, Some(Tracked::new(3, &count)));
    let shown = linked.clone();
    drop((linked, shown));
    assert_eq!(alive(&count), 3, "A is overridden, the rest is kept");
    let panic = catch_unwind(AssertUnwindSafe(|| drop(flat))).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"bomb"));
    assert_eq!(alive(&count), 0);

    let linked = Context::empty()
        .with_key(&A, Some(Tracked::new(1, &count)))
        .with_key(&BOMB, bomb())
        .with_key(&B, Some(Tracked::new(2, &count)));
    catch_unwind(AssertUnwindSafe(|| drop(linked))).unwrap_err();
    assert_eq!(alive(&count), 0);
}

#[test]
fn a_destructor_may_use_contexts() {
    struct Curious(Arc<AtomicUsize>);
    impl Drop for Curious {
        fn drop(&mut self) {
            let seen = number(&current_context(), &A).unwrap_or(0);
            let scope = crate::context::store_context(Context::empty());
            assert!(current_context().is_empty());
            drop(scope);
            assert_eq!(number(&current_context(), &A).unwrap_or(0), seen);
            self.0.store(seen, Ordering::SeqCst);
        }
    }
    static CURIOUS: Key<Option<Curious>> = Key::local("memory curious", || None);

    let (count, seen) = (counter(), counter());
    let around = Context::empty().with_key(&A, Some(Tracked::new(77, &count)));
    let inner = around.with_key(&CURIOUS, Some(Curious(seen.clone())));
    let inner = {
        let overridden = inner.with_key(&A, Some(Tracked::new(88, &count)));
        drop(inner);
        overridden
    };
    with_context(around, || with_context(inner, || ()));
    assert_eq!(
        alive(&seen),
        77,
        "dropped after the swap: the destructor sees what is current then"
    );
    assert_eq!(alive(&count), 0);
}

#[test]
fn threads_share_and_let_go() {
    let count = counter();
    let shared = Context::empty().with_key(&A, Some(Tracked::new(1, &count)));
    std::thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|thread| {
            let (count, shared) = (&count, shared.clone());
            scope.spawn(move || {
                for round in 0..2000 {
                    let own = shared.with_key(&B, Some(Tracked::new(round, count)));
                    let flat = own.with_key(&A, Some(Tracked::new(thread, count)));
                    drop(own);
                    assert_eq!(number(&flat.clone(), &B), Some(round));
                    assert_eq!(number(&shared.clone(), &A), Some(1));
                }
            })
        });
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(alive(&count), 1);
    drop(shared);
    assert_eq!(alive(&count), 0);
}
