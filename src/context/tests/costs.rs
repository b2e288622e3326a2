//! What a frame costs: the Context in it is borrowed, so its count stays as it is.

use crate::context::slot::{self, Frame};
use crate::context::{Context, Key};

static NUMBER: Key<u32> = Key::local("costs number", || 0);

fn holds(context: &Context) -> usize {
    context.holds().expect("it is not empty")
}

#[test]
fn a_frame_counts_nothing() {
    let context = Context::empty().with_key(&NUMBER, 1);
    assert_eq!(holds(&context), 1);
    for _ in 0..3 {
        let frame = Frame::enter(&context);
        assert_eq!(holds(&context), 1);
        drop(frame);
        assert_eq!(holds(&context), 1);
    }
}

#[test]
fn a_frame_that_captures_once_counts_once() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let frame = Frame::enter(&context);
    let captured = slot::capture();
    assert_eq!(holds(&context), 2);
    drop(frame);
    assert_eq!(holds(&context), 2);
    drop(captured);
    assert_eq!(holds(&context), 1);
}

#[test]
fn a_frame_that_captures_often_counts_in_batches_and_gives_back_the_rest() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let frame = Frame::enter(&context);
    let captured: Vec<Context> = (0..40).map(|_| slot::capture()).collect();
    let during = holds(&context);
    assert!(during > 41, "{during} holds: some are taken ahead");
    assert_eq!((during - 2) % 32, 0, "one by one at first, then in batches");
    drop(frame);
    assert_eq!(holds(&context), 41);
    drop(captured);
    assert_eq!(holds(&context), 1);
}

#[test]
fn what_comes_back_is_used_again() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let other = Context::empty().with_key(&NUMBER, 2);
    let captured = context.clone();
    let foreign = other.clone();
    let frame = Frame::enter(&context);
    assert!(slot::take_back(captured).is_none());
    assert_eq!(holds(&context), 2);
    let again = slot::capture();
    assert_eq!(again, context);
    assert_eq!(holds(&context), 2);
    let refused = slot::take_back(foreign);
    assert_eq!(refused.as_ref(), Some(&other));
    drop(frame);
    assert_eq!(holds(&context), 2);
    drop((again, refused));
    assert_eq!((holds(&context), holds(&other)), (1, 1));
}

#[test]
fn no_credit_for_the_context_of_a_scope() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let scoped = Context::empty().with_key(&NUMBER, 2);
    let frame = Frame::enter(&context);
    let scope = crate::context::store_context(scoped.clone());
    let captured: Vec<Context> = (0..40).map(|_| slot::capture()).collect();
    assert_eq!(holds(&scoped), 42);
    let mut captured = captured.into_iter();
    let refused = captured.next().and_then(slot::take_back);
    assert_eq!(refused.as_ref(), Some(&scoped));
    drop(scope);
    drop(frame);
    drop((captured, refused));
    assert_eq!((holds(&context), holds(&scoped)), (1, 1));
}

#[test]
fn without_a_frame_there_is_no_credit() {
    let context = Context::empty().with_key(&NUMBER, 1);
    std::thread::scope(|threads| {
        let thread = threads.spawn(|| {
            assert!(slot::take_back(context.clone()).is_some());
            assert!(slot::capture().is_empty());
        });
        thread.join().unwrap();
    });
    assert_eq!(holds(&context), 1);
}
