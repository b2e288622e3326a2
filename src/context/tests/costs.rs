//! What a frame costs: the Context in it is borrowed, so its count stays as it is.

use std::sync::Arc;

use crate::context::hand::{self, KeptHand, OpenHand};
use crate::context::slot::{self, Frame};
use crate::context::{Context, Key};

static NUMBER: Key<u32> = Key::local("costs number", || 0);
static SHARED: Key<Arc<()>> = Key::local("costs shared", Arc::default);

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
fn a_context_that_is_asked_for_again_and_again_is_counted_once() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let frame = Frame::enter(&context);
    for _ in 0..3 {
        assert_eq!(slot::current_context().get(&NUMBER), &1);
        assert_eq!(holds(&context), 2);
    }
    // Whatever else of it ends here comes back as well.
    drop(context.clone());
    assert_eq!(holds(&context), 3);
    drop(frame);
    assert_eq!(holds(&context), 1);
    drop(context.clone());
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
    let [below, above] = [2, 3].map(|number| Context::empty().with_key(&NUMBER, number));
    let base = Context::empty().with_key(&NUMBER, 1);
    let capture_twice = |context: &Context| {
        let scope = crate::context::store_context(context.clone());
        drop([slot::capture(), slot::capture()]);
        assert_eq!(holds(context), 2 + 33, "those that were dropped came back");
        scope
    };
    let frame = Frame::enter(&base);
    // Closed out of order.
    let first = capture_twice(&below);
    let second = crate::context::store_context(above.clone());
    drop(first);
    assert_eq!(holds(&below), 1);
    drop(second);
    // Closed from within another frame.
    let first = capture_twice(&below);
    let inner = Frame::enter(&above);
    drop(first);
    assert_eq!(holds(&below), 1);
    drop(inner);
    // Never closed.
    std::mem::forget(capture_twice(&below));
    drop(frame);
    assert_eq!([&base, &below, &above].map(holds), [1; 3]);
}

#[test]
fn credits_go_back_when_another_context_is_handed_out() {
    let [outer, inner] = [1, 2].map(|number| Context::empty().with_key(&NUMBER, number));
    let around = Frame::enter(&outer);
    drop([slot::capture(), slot::capture()]);
    assert_eq!(holds(&outer), 1 + 33);
    let within = Frame::enter(&inner);
    assert_eq!(holds(&outer), 1 + 33);
    drop(slot::capture());
    assert_eq!([&outer, &inner].map(holds), [1, 2]);
    drop(within);
    assert_eq!(holds(&inner), 1);
    drop(around);
}

#[test]
fn what_must_not_be_inherited_is_not_handed_out_of_what_came_back() {
    static OWN: Key<u32> = Key::local("costs own", || 0).not_inherited();
    let context = Context::empty().with_key(&NUMBER, 1).with_key(&OWN, 1);
    let frame = Frame::enter(&context);
    assert!(slot::take_back(context.clone()).is_none());
    let captured = slot::capture();
    assert_eq!((captured.get(&NUMBER), captured.get(&OWN)), (&1, &0));
    drop(frame);
    assert_eq!(holds(&context), 1);
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
fn a_hand_keeps_the_holds_on_the_context_of_the_turn() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let other = Context::empty().with_key(&NUMBER, 2);
    let refused = slot::keep(context.clone());
    assert_eq!(refused.as_ref(), Some(&context), "there is no turn");
    drop(refused);

    let open = OpenHand::new();
    drop(open.empty_before(&context));
    for _ in 0..3 {
        assert!(slot::keep(context.clone()).is_none());
    }
    assert_eq!(holds(&context), 4);
    assert!(slot::keep(other.clone()).is_some(), "another Context");
    assert!(open.is_for(&context), "the next task has it too");
    assert!(!open.is_for(&other));
    drop(open.empty_before(&other));
    assert_eq!((holds(&context), holds(&other)), (1, 1));
    assert!(slot::keep(context.clone()).is_some());

    assert!(slot::keep(other.clone()).is_none());
    drop(open.empty());
    assert_eq!(holds(&other), 1);
    assert!(slot::keep(other.clone()).is_some(), "the turn is over");

    drop(open.empty_before(&other));
    assert!(slot::keep(other.clone()).is_none());
    drop(open);
    assert_eq!(holds(&other), 1, "the hand is closed");
    assert!(slot::keep(other.clone()).is_some());
}

#[test]
fn a_kept_hand_gives_nothing_back_before_it_is_closed() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let other = Context::empty().with_key(&NUMBER, 2);
    // SAFETY: it is held here.
    let open = unsafe { KeptHand::of(&context) };
    let spawn_two = || {
        let _frame = Frame::enter(&context);
        (slot::capture(), slot::capture())
    };
    let tasks = spawn_two();
    assert_eq!(holds(&context), 2 + 32);
    drop(tasks.0);
    hand::settle(&context);
    drop(spawn_two());
    assert_eq!(holds(&context), 2 + 32, "of the batch, like all of them");

    // Turns of a worker within, as of a runtime of its own.
    let within = OpenHand::new();
    assert_eq!(holds(&context), 2, "it may take long");
    drop(within.empty_before(&other));
    assert!(slot::keep(other.clone()).is_none());
    hand::settle(&other);
    assert_eq!(holds(&other), 1, "nobody says that this one is kept");
    drop(within);

    assert!(slot::keep(context.clone()).is_none());
    hand::settle(&context);
    assert_eq!(holds(&context), 3, "kept again");
    drop(open);
    assert_eq!(holds(&context), 2);
    drop(tasks.1);
    assert_eq!(holds(&context), 1);
    assert!(slot::keep(context.clone()).is_some());
}

#[test]
fn a_hand_that_is_suspended_may_have_the_last_hold() {
    let value = Arc::new(());
    let context = Context::empty().with_key(&SHARED, value.clone());
    let open = OpenHand::new();
    drop(open.empty_before(&context));
    assert!(slot::keep(context).is_none());
    assert_eq!(Arc::strong_count(&value), 2, "in the hand");
    drop(OpenHand::new());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn turns_take_out_of_the_hand_what_turns_have_left_there() {
    let context = Context::empty().with_key(&NUMBER, 1);
    let open = OpenHand::new();
    let turn = |captures: usize| -> Vec<Context> {
        if !open.is_for(&context) {
            drop(open.empty_before(&context));
        }
        let _frame = Frame::enter(&context);
        (0..captures).map(|_| slot::capture()).collect()
    };
    let mut tasks = turn(1);
    for _ in 0..3 {
        // It ends, and the next one spawns one like it.
        assert!(slot::keep(tasks.remove(0)).is_none());
        assert_eq!(holds(&context), 2);
        tasks = turn(1);
        assert_eq!(holds(&context), 2);
    }
    tasks.extend(turn(2));
    assert_eq!(holds(&context), 2 + 32, "in batches here, too");
    tasks.extend(turn(30));
    assert_eq!(holds(&context), 2 + 32);

    // Somebody joins the task that ends.
    assert!(slot::keep(tasks.remove(0)).is_none());
    hand::settle(&context);
    assert_eq!(holds(&context), 1 + tasks.len());
    // That was not the end of the turn.
    assert!(slot::keep(tasks.remove(0)).is_none());
    drop((tasks, open));
    assert_eq!(holds(&context), 1);
}
