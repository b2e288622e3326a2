//! Frames and the Scopes in them, as the executor uses them.

use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use super::{Tracked, TRACKED};
use crate::context::slot::{self, Frame, SavedScopes};
use crate::context::{stats, store_context, Context, ContextFutureExt as _, Scope};

struct Contexts(Arc<AtomicUsize>);

impl Contexts {
    fn new() -> Self {
        Contexts(Arc::default())
    }

    fn make(&self, number: usize) -> Context {
        Context::empty().with_key(&TRACKED, Some(Tracked::new(number, &self.0)))
    }

    fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn current() -> usize {
    slot::with_current(|context| context.get(&TRACKED).as_ref().map_or(0, |seen| seen.number))
}

fn poll(future: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// Pending once.
async fn pause() {
    let mut first = true;
    std::future::poll_fn(|_| match std::mem::take(&mut first) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    })
    .await;
}

#[test]
fn entering_borrows_and_leaving_restores() {
    let contexts = Contexts::new();
    let (one, two) = (contexts.make(1), contexts.make(2));
    let sentinel = slot::raw();
    {
        let _one = Frame::enter(&one);
        assert_eq!((current(), slot::raw()), (1, slot::raw_of(&one)));
        {
            let _two = Frame::enter(&two);
            assert_eq!(current(), 2);
            let empty = Context::empty();
            let _empty = Frame::enter(&empty);
            assert!(
                slot::is_empty(),
                "empty is a Context: it hides what is around it"
            );
        }
        assert_eq!(current(), 1);
    }
    assert_eq!(slot::raw(), sentinel);
}

#[test]
fn open_scopes_end_with_the_frame() {
    let contexts = Contexts::new();
    let base = contexts.make(1);
    let mut moved_out = None;
    {
        let _frame = Frame::enter(&base);
        std::mem::forget(store_context(contexts.make(2)));
        moved_out = Some(store_context(contexts.make(3))).or(moved_out);
        assert_eq!(current(), 3);
    }
    assert_eq!(current(), 0);
    assert_eq!(contexts.alive(), 1, "the forgotten Contexts are not kept");
    let shell = moved_out.unwrap();
    assert!(shell.context().is_empty());
    let _frame = Frame::enter(&base);
    shell.close();
    assert_eq!(current(), 1);
}

#[test]
fn an_outer_scope_closed_within_is_not_believed_on_the_way_back() {
    let contexts = Contexts::new();
    let (base, inner) = (contexts.make(1), contexts.make(9));
    let _base = Frame::enter(&base);
    let two = store_context(contexts.make(2));
    let three = store_context(contexts.make(3));
    {
        let _inner = Frame::enter(&inner);
        drop(three);
        assert_eq!(contexts.alive(), 3, "a closed Scope lets go at once");
        assert_eq!(current(), 9);
        drop(two);
        assert_eq!(current(), 9);
    }
    assert_eq!(current(), 1);
    assert_eq!(contexts.alive(), 2);
}

#[test]
fn reading_holds_what_a_closed_scope_let_go() {
    let contexts = Contexts::new();
    let open = || std::cell::Cell::new(Some(store_context(contexts.make(5))));
    let scope = open();
    slot::with_current(|context| {
        drop(scope.take());
        assert_eq!(contexts.alive(), 1);
        assert_eq!(context.get(&TRACKED).as_ref().unwrap().number, 5);
    });
    assert_eq!(contexts.alive(), 0);
    let scope = open();
    TRACKED.with(|value| {
        drop(scope.take());
        assert_eq!(contexts.alive(), 1);
        assert_eq!(value.as_ref().unwrap().number, 5);
    });
    assert_eq!(contexts.alive(), 0);
}

#[test]
fn a_bound_task_keeps_its_scopes_between_polls() {
    let contexts = Contexts::new();
    let (base, other) = (contexts.make(1), contexts.make(9));
    let mut saved = SavedScopes::new();
    let crossed = stats().scopes_crossed_await;
    let two: Scope;
    {
        let _poll = Frame::resume(&base, &mut saved);
        two = store_context(contexts.make(2));
        std::mem::forget(store_context(contexts.make(3)));
    }
    assert_eq!(current(), 0);
    {
        let _other = Frame::enter(&other);
        {
            let _poll = Frame::resume(&base, &mut saved);
            assert_eq!(current(), 3);
            drop(two);
            assert_eq!(current(), 3);
        }
        assert_eq!(current(), 9);
    }
    assert_eq!(contexts.alive(), 3);
    // Other tests count too.
    assert!(stats().scopes_crossed_await >= crossed + 2);
    drop(saved);
    assert_eq!(contexts.alive(), 2, "what is left at the end was forgotten");
}

#[test]
fn a_scope_closed_while_its_task_waits() {
    let contexts = Contexts::new();
    let base = contexts.make(1);
    let mut saved = SavedScopes::new();
    let (two, three);
    {
        let _poll = Frame::resume(&base, &mut saved);
        two = store_context(contexts.make(2));
        three = store_context(contexts.make(3));
    }
    drop(three);
    assert_eq!(current(), 0);
    {
        let _poll = Frame::resume(&base, &mut saved);
        assert_eq!(current(), 2);
    }
    drop(two);
    // The base may be another one: the chain is told.
    let other = contexts.make(4);
    drop(base);
    {
        let _poll = Frame::resume(&other, &mut saved);
        assert_eq!(current(), 4);
    }
    assert!(saved.is_empty());
}

#[test]
fn scopes_of_a_future_within_a_bound_task_wait_too() {
    let contexts = Contexts::new();
    let (base, own) = (contexts.make(1), contexts.make(2));
    let mut saved = SavedScopes::new();
    let future = async {
        let _scope = store_context(contexts.make(3));
        pause().await;
        assert_eq!(current(), 3);
    };
    let mut future = pin!(future.in_context(own));
    {
        let _poll = Frame::resume(&base, &mut saved);
        assert!(poll(future.as_mut()).is_pending());
        assert_eq!(current(), 1);
    }
    assert_eq!(current(), 0);
    let _poll = Frame::resume(&base, &mut saved);
    assert!(poll(future.as_mut()).is_ready());
    assert_eq!(current(), 1);
}

#[test]
fn scopes_of_a_future_that_may_move_end_with_the_poll() {
    let contexts = Contexts::new();
    let (base, own) = (contexts.make(1), contexts.make(2));
    let future = async {
        std::mem::forget(store_context(contexts.make(3)));
        pause().await;
        assert_eq!(current(), 2);
    };
    let mut future = Box::pin(future.in_context(own));
    let _poll = Frame::enter(&base);
    assert!(poll(future.as_mut()).is_pending());
    assert_eq!((current(), contexts.alive()), (1, 2));
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            assert!(poll(future.as_mut()).is_ready());
            assert_eq!(current(), 0);
        });
        thread.join().unwrap();
    });
}

#[test]
fn a_chain_that_was_left_on_another_thread_is_not_touched() {
    // What is left so is lost. It is kept here, for tools that look for lost memory.
    static LOST: std::sync::Mutex<Vec<usize>> = std::sync::Mutex::new(Vec::new());
    let contexts = Contexts::new();
    let base = contexts.make(1);
    let mut saved = SavedScopes::new();
    let (two, three);
    {
        let _poll = Frame::resume(&base, &mut saved);
        two = store_context(contexts.make(2));
        three = store_context(contexts.make(3));
    }
    std::thread::scope(|threads| {
        let thread = threads.spawn(|| {
            let _poll = Frame::resume(&base, &mut saved);
            assert_eq!(current(), 1);
        });
        thread.join().unwrap();
    });
    assert!(saved.is_empty());
    drop(two);
    assert_eq!((current(), contexts.alive()), (0, 2));
    LOST.lock()
        .unwrap()
        .push(Box::into_raw(Box::new(three)) as usize);
}

#[test]
fn the_end_of_a_frame_does_not_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new(Bomb));
        }
    }
    static BOMB: crate::context::Key<Option<Bomb>> =
        crate::context::Key::local("frames bomb", || None);
    let contexts = Contexts::new();
    let base = contexts.make(1);
    let _around = Frame::enter(&base);
    for panics in [false, true] {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _frame = Frame::enter(&base);
            let bomb = contexts.make(2).with_key(&BOMB, Some(Bomb));
            std::mem::forget(store_context(bomb));
            std::mem::forget(store_context(contexts.make(3)));
            if panics {
                std::panic::resume_unwind(Box::new("own"));
            }
        }));
        assert_eq!(caught.is_err(), panics);
        assert_eq!((current(), contexts.alive()), (1, 1));
    }
}
