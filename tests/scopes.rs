//! Rules 2, 4, 5 and 7: what is current, when it ends, and who cannot change it.

mod locks;

use std::cell::RefCell;
use std::future::{poll_fn, Future};
use std::panic::{catch_unwind, resume_unwind};
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::context::stats;
use kamon::{
    current_context, store_context, with_context, with_context_key, Context, ContextFutureExt as _,
    Key, Scope,
};
use locks::{Mutex, MutexGuard};

static NUMBER: Key<usize> = Key::local("scopes number", || 0);

fn context(number: usize) -> Context {
    Context::empty().with_key(&NUMBER, number)
}

fn current() -> usize {
    *current_context().get(&NUMBER)
}

/// The tests that count repairs, or cause them, take turns: the counts are the process's.
fn repairs() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

async fn pause() {
    let mut first = true;
    poll_fn(|_| {
        if std::mem::take(&mut first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

// What a Scope is.

#[test]
fn scopes_stack() {
    assert!(current_context().is_empty());
    let one = store_context(context(1));
    let two = store_context(context(2));
    assert_eq!((current(), one.context().get(&NUMBER)), (2, &1));
    two.close();
    assert_eq!(current(), 1);
    drop(one);
    assert!(current_context().is_empty());
}

#[test]
fn rule_4_empty_is_a_context() {
    let _one = store_context(context(1));
    let empty = store_context(Context::empty());
    assert!(current_context().is_empty());
    with_context(Context::empty(), || assert!(current_context().is_empty()));
    drop(empty);
    assert_eq!(current(), 1);
    let mut future = pin!(async { current_context() }.in_context(Context::empty()));
    assert_eq!(poll(future.as_mut()), Poll::Ready(Context::empty()));
}

#[test]
fn rule_5_out_of_order_never_brings_back_a_closed_one() {
    let _turn = repairs();
    let before = stats().scopes_out_of_order;
    let one = store_context(context(1));
    let two = store_context(context(2));
    let three = store_context(context(3));
    drop(one);
    assert_eq!(current(), 3);
    drop(two);
    assert_eq!(current(), 3);
    drop(three);
    assert!(current_context().is_empty());
    assert_eq!(stats().scopes_out_of_order - before, 2);
}

#[test]
fn rule_5_a_scope_replaced_by_a_newer_one_costs_no_memory() {
    let _turn = repairs();
    let alive = stats().contexts_alive;
    let mut scope = store_context(context(0));
    for number in 1..1000 {
        scope = store_context(context(number));
        assert_eq!(current(), number);
    }
    assert!(stats().contexts_alive < alive + 100);
    drop(scope);
    assert!(current_context().is_empty());
}

// What ends Scopes that were left open.

#[test]
fn rule_2_a_forgotten_scope_ends_with_its_closure() {
    let _turn = repairs();
    let before = stats().scopes_forgotten;
    let (value, seen) = (
        Arc::new(()),
        Key::<Option<Arc<()>>>::local("scopes arc", || None),
    );
    with_context(context(1), || {
        std::mem::forget(store_context(context(2)));
        std::mem::forget(store_context(
            context(3).with_key(&seen, Some(value.clone())),
        ));
        assert_eq!(current(), 3);
    });
    assert!(current_context().is_empty());
    assert_eq!(
        Arc::strong_count(&value),
        1,
        "what was forgotten is not kept"
    );
    assert_eq!(stats().scopes_forgotten - before, 2);
}

#[test]
fn rule_2_a_panic_restores() {
    let _turn = repairs();
    let _around = store_context(context(1));
    let panic = catch_unwind(|| {
        with_context(context(2), || {
            let _scope = store_context(context(3));
            std::mem::forget(store_context(context(4)));
            with_context(context(5), || resume_unwind(Box::new("planned")))
        })
    });
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"planned"));
    assert_eq!(current(), 1);
}

#[test]
fn rule_2_a_scope_that_leaves_its_closure_is_a_shell() {
    let _turn = repairs();
    let out = with_context(context(1), || {
        let out = store_context(context(2));
        assert_eq!(out.context().get(&NUMBER), &2);
        out
    });
    assert!(current_context().is_empty());
    assert!(out.context().is_empty());
    with_context(context(3), || {
        drop(out);
        assert_eq!(current(), 3);
    });
}

#[test]
fn rule_2_a_poll_that_forgets_leaves_nothing() {
    let _turn = repairs();
    let future = async {
        for _ in 0..3 {
            assert_eq!(current(), 2);
            std::mem::forget(store_context(context(3)));
            assert_eq!(current(), 3);
            pause().await;
        }
    };
    let mut future = pin!(future.in_context(context(2)));
    let _around = store_context(context(1));
    while poll(future.as_mut()).is_pending() {
        assert_eq!(current(), 1);
    }
    assert_eq!(current(), 1);
}

// Who cannot change what is current for whom.

#[test]
fn rule_7_a_callee_cannot_change_its_callers_context() {
    let _turn = repairs();
    let scope = RefCell::new(Some(store_context(context(1))));
    let below = store_context(context(2));
    with_context(context(3), || {
        drop(below);
        scope.take();
        assert_eq!(
            current(),
            3,
            "Scopes of the caller, closed here, change nothing here"
        );
    });
    assert!(current_context().is_empty(), "and are closed there");
}

#[test]
fn rule_7_every_poll_of_a_branch_has_its_own() {
    let seen = RefCell::new(Vec::new());
    let branch = |name: usize| {
        let seen = &seen;
        async move {
            for _ in 0..2 {
                seen.borrow_mut().push((name, current()));
                pause().await;
            }
            seen.borrow_mut().push((name, current()));
        }
    };
    let mut one = pin!(branch(1).in_context(context(1)));
    let mut two = pin!(branch(2).in_context(context(2)));
    let mut none = pin!(branch(0));
    let _around = store_context(context(9));
    for _ in 0..3 {
        let _ = (poll(one.as_mut()), poll(two.as_mut()), poll(none.as_mut()));
    }
    let expected = [(1, 1), (2, 2), (0, 9)];
    assert_eq!(*seen.borrow(), [expected, expected, expected].concat());
}

/// Tells which number was current when it was dropped.
struct Witness(Arc<AtomicUsize>);

impl Witness {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let seen = Arc::new(AtomicUsize::new(usize::MAX));
        (Witness(seen.clone()), seen)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.store(current(), Ordering::SeqCst);
    }
}

#[test]
fn rule_7_values_are_dropped_after_the_swap() {
    static WITNESS: Key<Option<Witness>> = Key::local("scopes witness", || None);
    let _turn = repairs();
    let with_witness = |number| {
        let (witness, seen) = Witness::new();
        (context(number).with_key(&WITNESS, Some(witness)), seen)
    };
    let _around = store_context(context(1));
    let (dying, seen) = with_witness(2);
    with_context(dying, || ());
    assert_eq!(seen.load(Ordering::SeqCst), 1, "a closure's Context");
    let (dying, seen) = with_witness(3);
    drop(store_context(dying));
    assert_eq!(seen.load(Ordering::SeqCst), 1, "a Scope's");
    let (dying, seen) = with_witness(4);
    with_context(context(5), || std::mem::forget(store_context(dying)));
    assert_eq!(seen.load(Ordering::SeqCst), 1, "a forgotten Scope's");
    let (dying, seen) = with_witness(6);
    let scope = store_context(dying);
    with_context(context(7), || drop(scope));
    assert_eq!(seen.load(Ordering::SeqCst), 7, "one closed from within");
}

#[test]
fn rule_7_reading_goes_on_while_the_slot_changes() {
    let scope = store_context(context(1));
    let held = current_context();
    let value = held.get(&NUMBER);
    drop(scope);
    with_context(context(2), || assert_eq!((current(), *value), (2, 1)));
    assert_eq!(*value, 1);
}

#[test]
fn rule_7_a_thread_locals_destructor_may_do_all_of_it() {
    struct AtExit(Option<Scope>, Arc<AtomicUsize>);
    impl Drop for AtExit {
        fn drop(&mut self) {
            let before = current();
            let inside = with_context_key(&NUMBER, 5, || {
                let _scope = store_context(context(6));
                current()
            });
            self.0 = None;
            self.1
                .store(before * 100 + inside * 10 + current(), Ordering::SeqCst);
        }
    }
    thread_local! {
        static AT_EXIT: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    }
    let seen = Arc::new(AtomicUsize::new(0));
    let told = seen.clone();
    let thread = std::thread::spawn(move || {
        AT_EXIT.with(|at_exit| at_exit.replace(Some(AtExit(None, told))));
        let scope = store_context(context(4));
        AT_EXIT.with(|at_exit| at_exit.borrow_mut().as_mut().unwrap().0 = Some(scope));
    });
    thread.join().unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 460);
}
