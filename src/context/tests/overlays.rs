//! Overlays: nobody can tell one from a Context, but by what it costs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use super::Tracked;
use crate::context::slot::{self, Frame, Overlay, SavedScopes};
use crate::context::{current_context, store_context, Context, Key};

type Shared = Option<Arc<Tracked>>;

static BASE: Key<Shared> = Key::local("overlays base", || None);
static OVER: Key<Shared> = Key::local("overlays over", || None);

struct Values(Arc<AtomicUsize>);

impl Values {
    fn new() -> Self {
        Values(Arc::default())
    }

    fn value(&self, number: usize) -> Shared {
        Some(Arc::new(Tracked::new(number, &self.0)))
    }

    fn base(&self, number: usize) -> Context {
        Context::empty().with_key(&BASE, self.value(number))
    }

    fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn number(value: &Shared) -> usize {
    value.as_ref().map_or(0, |value| value.number)
}

/// The value below and the one on top, asked for one by one: no Context is made for that.
fn values() -> (usize, usize) {
    let (base, over) = (
        slot::with_value(&BASE, number),
        slot::with_value(&OVER, number),
    );
    (base, over)
}

/// The same as whoever captures sees them.
fn captured() -> (usize, usize) {
    let context = current_context();
    (number(context.get(&BASE)), number(context.get(&OVER)))
}

#[test]
fn a_value_lies_on_top_for_a_frame() {
    let made = Values::new();
    let (base, one, two) = (made.base(1), made.value(10), made.value(20));
    let _base = Frame::enter(&base);
    {
        let over = Overlay::new(&OVER, &one);
        let _over = Frame::enter(&over);
        assert_eq!((values(), slot::is_empty()), ((1, 10), false));
        {
            let over = Overlay::new(&OVER, &two);
            let _over = Frame::enter(&over);
            assert_eq!(values(), (1, 20));
            assert!(over.made().is_none());
            assert_eq!(captured(), (1, 20));
        }
        assert_eq!(values(), (1, 10));
        assert!(over.made().is_none());
    }
    assert_eq!((values(), captured()), ((1, 0), (1, 0)));
}

#[test]
fn it_becomes_one_context_however_often_it_is_asked_for() {
    let made = Values::new();
    let (base, one) = (made.base(1), made.value(10));
    let before = Arc::strong_count(one.as_ref().unwrap());
    let kept;
    {
        let _base = Frame::enter(&base);
        let over = Overlay::new(&OVER, &one);
        {
            let _over = Frame::enter(&over);
            kept = current_context();
            {
                let _inner = Frame::enter(&base);
                assert_eq!(values(), (1, 0));
            }
            // On the way back the slot points at the overlay again.
            assert!(kept.is_same(&current_context()) && kept.is_same(&slot::capture()));
            slot::with_current(|context| assert!(kept.is_same(context)));
            assert_eq!(values(), (1, 10));
        }
        let (below, with_value) = over.made().unwrap();
        assert!(below.is_same(&base) && with_value.is_same(&kept) && over.lies_on(&below));
    }
    assert_eq!(Arc::strong_count(one.as_ref().unwrap()), before + 1);
    drop((base, one));
    assert_eq!((made.alive(), kept.get(&OVER).is_some()), (2, true));
    drop(kept);
    assert_eq!(made.alive(), 0);
}

#[test]
fn scopes_are_opened_on_it_as_on_a_context() {
    let made = Values::new();
    let (base, one) = (made.base(1), made.value(10));
    let _base = Frame::enter(&base);
    let over = Overlay::new(&OVER, &one);
    {
        let _over = Frame::enter(&over);
        let scope = store_context(current_context().with_key(&BASE, made.value(2)));
        assert_eq!((values(), captured()), ((2, 10), (2, 10)));
        drop(scope);
        assert_eq!((values(), captured()), ((1, 10), (1, 10)));
        std::mem::forget(store_context(made.base(3)));
        assert_eq!(values(), (3, 0));
    }
    assert_eq!((values(), made.alive()), ((1, 0), 2));
}

#[test]
fn the_scope_that_it_lies_on_may_be_closed() {
    let made = Values::new();
    let (base, one, two) = (made.base(1), made.value(10), made.value(20));
    let _base = Frame::enter(&base);
    let scope = store_context(made.base(2));
    {
        let over = Overlay::new(&OVER, &one);
        let _over = Frame::enter(&over);
        drop(scope);
        assert_eq!((values(), captured()), ((2, 10), (2, 10)));
        assert!(over.made().is_none() && !over.lies_on(&base));
        // On top of that one as well.
        let over = Overlay::new(&OVER, &two);
        let _over = Frame::enter(&over);
        assert_eq!((values(), captured()), ((2, 20), (2, 20)));
    }
    assert_eq!((values(), made.alive()), ((1, 0), 3));
}

#[test]
fn a_bound_task_keeps_the_scopes_that_it_opened_on_it() {
    let made = Values::new();
    let (base, one) = (made.base(1), made.value(10));
    let mut saved = SavedScopes::new();
    let _base = Frame::enter(&base);
    let mut scope = None;
    for poll in 0..3 {
        let over = Overlay::new(&OVER, &one);
        let mut inner = SavedScopes::new();
        let _task = Frame::resume(&base, &mut inner);
        let frame = Frame::resume_within(&over, &mut saved);
        if poll == 0 {
            scope = Some(store_context(made.base(2)));
        }
        assert_eq!(values(), (2, 0));
        if poll == 2 {
            drop(scope.take());
            assert_eq!((values(), captured()), ((1, 10), (1, 10)));
        }
        drop(frame);
        assert_eq!(values(), (1, 0));
    }
    assert_eq!(made.alive(), 2);
}

#[test]
fn what_is_captured_often_is_counted_in_batches() {
    let made = Values::new();
    let one = made.value(10);
    let over = Overlay::new(&OVER, &one);
    let captured: Vec<Context> = {
        let _over = Frame::enter(&over);
        (0..40).map(|_| slot::capture()).collect()
    };
    let (_, context) = over.made().unwrap();
    // Ours, the overlay's, and those that were captured.
    assert_eq!(context.holds(), Some(42));
    drop(captured);
    assert_eq!(context.holds(), Some(2));
}

#[test]
fn a_panic_takes_it_off() {
    let made = Values::new();
    let (base, one) = (made.base(1), made.value(10));
    let _base = Frame::enter(&base);
    for captures in [false, true] {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let over = Overlay::new(&OVER, &one);
            let _over = Frame::enter(&over);
            if captures {
                drop(current_context());
            }
            std::panic::resume_unwind(Box::new("planned"));
        }));
        assert!(caught.is_err());
        assert_eq!((values(), captured()), ((1, 0), (1, 0)));
        assert_eq!(Arc::strong_count(one.as_ref().unwrap()), 1);
    }
}

#[test]
fn what_it_lies_on_need_not_be_current() {
    let made = Values::new();
    let (around, below, one) = (made.base(1), made.base(2), made.value(10));
    let _around = Frame::enter(&around);
    let scope = store_context(around.with_key(&OVER, made.value(20)));
    let over = Overlay::on(&below, &OVER, &one);
    {
        let _over = Frame::enter(&over);
        assert_eq!(values(), (2, 10));
        assert!(over.made().is_none());
        assert_eq!(captured(), (2, 10));
    }
    assert!(over.made().is_some_and(|(lower, _)| lower == below));
    assert_eq!((values(), captured()), ((1, 20), (1, 20)));
    drop(scope);
    assert_eq!((values(), captured()), ((1, 0), (1, 0)));
}
