//! What a frame costs: the Context in it is borrowed, so its count stays as it is.

use crate::context::hand::{self, OpenHand};
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
fn a_scope_has_credits_of_its_own() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let scoped = Context::empty().with_key(&NUMBER, 2);
    let frame = Frame::enter(&context);
    let scope = crate::context::store_context(scoped.clone());
    // Ours and the Scope's; the first task is handed out alone, the second with the rest of 32.
    let captured: Vec<Context> = (0..2).map(|_| slot::capture()).collect();
    assert_eq!(holds(&scoped), 2 + 1 + 32);
    let more: Vec<Context> = (0..31).map(|_| slot::capture()).collect();
    assert_eq!(holds(&scoped), 2 + 1 + 32);
    for context in captured {
        assert!(slot::take_back(context).is_none());
    }
    assert_eq!(holds(&scoped), 2 + 1 + 32);
    // The frame's base is not what is current.
    let refused = slot::take_back(context.clone());
    assert_eq!(refused.as_ref(), Some(&context));
    drop(scope);
    assert_eq!(holds(&scoped), 1 + 31);
    drop(frame);
    drop((more, refused));
    assert_eq!((holds(&context), holds(&scoped)), (1, 1));
}

#[test]
fn credits_go_back_however_a_scope_ends() {
    let contexts = [2, 3, 4].map(|number| Context::empty().with_key(&NUMBER, number));
    let base = Context::empty().with_key(&NUMBER, 1);
    let frame = Frame::enter(&base);
    let scopes = contexts.each_ref().map(|context| {
        let scope = crate::context::store_context(context.clone());
        drop([slot::capture(), slot::capture()]);
        assert_eq!(holds(context), 2 + 31);
        scope
    });
    let [below, above, forgotten] = scopes;
    // Closed out of order, and never.
    drop(below);
    assert_eq!(contexts.each_ref().map(holds), [1, 33, 33]);
    drop(above);
    assert_eq!(contexts.each_ref().map(holds), [1, 1, 33]);
    std::mem::forget(forgotten);
    drop(frame);
    assert_eq!(contexts.each_ref().map(holds), [1, 1, 1]);
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

#[test]
fn a_hand_keeps_the_holds_on_one_context() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let other = Context::empty().with_key(&NUMBER, 2);
    let refused = hand::keep(context.clone());
    assert_eq!(refused.as_ref(), Some(&context), "no hand is open");
    drop(refused);

    let open = OpenHand::new();
    for _ in 0..3 {
        assert!(hand::keep(context.clone()).is_none());
    }
    assert_eq!(holds(&context), 4);
    assert!(hand::keep(other.clone()).is_some(), "one Context at a time");
    assert!(open.empty_before(&context).is_empty());
    assert_eq!(holds(&context), 4, "the next task has it too");
    drop(open.empty_before(&other));
    assert_eq!((holds(&context), holds(&other)), (1, 1));

    assert!(hand::keep(context.clone()).is_none());
    drop(open.empty());
    assert_eq!(holds(&context), 1);

    let frame = Frame::enter(&other);
    assert!(hand::keep(context.clone()).is_some(), "within a frame");
    drop(frame);

    assert!(hand::keep(context.clone()).is_none());
    drop(open);
    assert_eq!(holds(&context), 1, "the hand is closed");
    assert!(hand::keep(context.clone()).is_some());
}
