//! Rules 1 and 3, as far as closures and futures keep them without an executor.

use std::future::{poll_fn, Future};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::context::wrap_fn;
use kamon::{
    current_context, store_context, with_context, with_context_key, wrap, Context,
    ContextFutureExt as _, Key,
};

static NUMBER: Key<usize> = Key::local("in_context number", || 0);
static STAYS: Key<usize> = Key::local("in_context stays", || 0).not_inherited();

fn context(number: usize) -> Context {
    Context::empty().with_key(&NUMBER, number)
}

fn current() -> usize {
    *current_context().get(&NUMBER)
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
fn with_context_key_adds_to_what_is_current() {
    with_context(context(1), || {
        let seen = with_context_key(&STAYS, 7, || (current(), *current_context().get(&STAYS)));
        assert_eq!(seen, (1, 7));
        assert_eq!(with_context_key(&NUMBER, 2, current), 2);
        assert_eq!((current(), *current_context().get(&STAYS)), (1, 0));
    });
}

#[test]
fn rule_3_wrap_captures_at_the_call() {
    let (run, repeat) = with_context(context(1).with_key(&STAYS, 5), || {
        let see = || (current(), *current_context().get(&STAYS));
        (wrap(see), wrap_fn(see))
    });
    let _later = store_context(context(2));
    assert_eq!(std::thread::spawn(run).join().unwrap(), (1, 0));
    assert_eq!(
        (repeat(), repeat()),
        ((1, 0), (1, 0)),
        "what stays in its task is not there"
    );
    assert_eq!(current(), 2);
}

#[test]
fn what_a_wrapped_closure_owns_is_dropped_in_its_context() {
    let wrapped = |number| {
        let (witness, seen) = Witness::new();
        let closure = with_context(context(number), || {
            wrap(move || {
                let _owned = &witness;
                std::hint::black_box(());
            })
        });
        (closure, seen)
    };
    let (called, seen) = wrapped(1);
    called();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    let (never, seen) = wrapped(2);
    drop(never);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    assert!(current_context().is_empty());
}

#[test]
fn rule_1_a_future_is_dropped_in_its_context() {
    let futures = |number| {
        let (witness, seen) = Witness::new();
        let future = async move {
            let _witness = witness;
            pause().await;
        };
        (Box::pin(future.in_context(context(number))), seen)
    };
    let (never_polled, seen) = futures(1);
    drop(never_polled);
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    let (mut cancelled, seen) = futures(2);
    assert!(poll(cancelled.as_mut()).is_pending());
    std::thread::spawn(move || drop(cancelled)).join().unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 2);
    let (mut finished, seen) = futures(3);
    while poll(finished.as_mut()).is_pending() {}
    assert_eq!(seen.load(Ordering::SeqCst), 3);
    assert!(current_context().is_empty());
}

#[test]
fn a_panicking_poll_restores_and_the_future_is_dropped_in_context() {
    let (witness, seen) = Witness::new();
    let future = async move {
        let _witness = witness;
        pause().await;
        resume_unwind(Box::new("planned"));
    };
    let mut future: Pin<Box<_>> = Box::pin(future.in_context(context(2)));
    let _around = store_context(context(1));
    assert!(poll(future.as_mut()).is_pending());
    catch_unwind(AssertUnwindSafe(|| poll(future.as_mut())))
        .map(|_: Poll<()>| ())
        .unwrap_err();
    assert_eq!((current(), seen.load(Ordering::SeqCst)), (1, 2));
}

#[test]
fn in_current_context_captures_at_the_call() {
    let see = async { (current(), *current_context().get(&STAYS)) };
    let future = with_context(context(1).with_key(&STAYS, 5), || see.in_current_context());
    assert_eq!(future.context().get(&NUMBER), &1);
    let mut future = pin!(future);
    with_context(context(2), || {
        assert_eq!(poll(future.as_mut()), Poll::Ready((1, 0)));
    });
}

#[test]
fn in_context_nests_and_stays_send() {
    fn sent<T: Send + Sync>(value: T) -> T {
        value
    }
    let inner = async { current() }.in_context(context(2));
    let outer = async move { (current(), inner.await, current()) }.in_context(context(1));
    let mut outer = pin!(sent(outer));
    assert_eq!(poll(outer.as_mut()), Poll::Ready((1, 2, 1)));
}
