//! The tracing spans that are entered on this thread, each with the Scope of its Context if it has one.

use std::cell::RefCell;

use tracing_core::span::Id;

use crate::context::{store_context, Context, Scope};
use crate::task;

/// One time that a tracing span was entered.
struct Entered {
    /// Which layer and which span. Registries count alike, so the span's id alone does not tell.
    layer: u64,
    span: u64,
    /// Tasks of one thread may be in the same span, with guards that wait for their next poll.
    task: Option<task::Id>,
    panicking: bool,
    /// None where the span's Context was current already.
    scope: Option<Scope>,
}

impl Entered {
    fn has_ended(&self) -> bool {
        self.scope.as_ref().is_some_and(|scope| !scope.is_open())
    }
}

thread_local! {
    // No user code runs while it is borrowed.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// How many entries without a Scope a thread keeps when it has to sort out. Nothing tells whether such a span
/// will ever be exited here. One that is exited without its entry is not failed by a panic and, within itself,
/// takes the outer one's.
const KEPT: usize = 64;

/// Notes that a span is entered, and makes the Context current until it is exited, if there is one to make
/// current.
///
/// Without an entry of its own a span that is entered within itself would take the outer one's when it is
/// exited, and a panic in it would be nobody's.
pub(super) fn enter(layer: u64, span: &Id, context: Option<Context>) {
    let entered = Entered {
        layer,
        span: span.into_u64(),
        task: task::try_id(),
        panicking: std::thread::panicking(),
        scope: context.map(store_context),
    };
    // At the very end of a thread there is no list any more, and the Scope is closed at once.
    let _ = ENTERED.try_with(|all| {
        let mut all = all.borrow_mut();
        // A guard that was sent away or held across an await in a task that moves: its Scope has ended
        // with the poll.
        while all.last().is_some_and(Entered::has_ended) {
            all.pop();
        }
        // Seldom: the list is about to be given more memory, which doubles it.
        if all.len() == all.capacity() && all.len() >= 2 * KEPT {
            sort_out(&mut all);
        }
        all.push(entered);
    });
}

/// Takes out what has ended, and of the entries without a Scope all but the newest.
#[cold]
fn sort_out(all: &mut Vec<Entered>) {
    all.retain(|it| !it.has_ended());
    let bare = all.iter().filter(|it| it.scope.is_none()).count();
    let mut surplus = bare.saturating_sub(KEPT);
    all.retain(|it| {
        let goes = it.scope.is_none() && surplus > 0;
        surplus -= usize::from(goes);
        !goes
    });
    // At least as many go in before it is looked through again.
    all.reserve(all.len());
}

/// Restores what was current before the span was entered. Tells whether its code panicked.
pub(super) fn exit(layer: u64, span: &Id) -> bool {
    let (span, task) = (span.into_u64(), task::try_id());
    let found = ENTERED.try_with(|all| {
        let mut all = all.borrow_mut();
        let is_it = |it: &Entered| (it.layer, it.span, it.task) == (layer, span, task);
        all.iter().rposition(is_it).map(|at| all.remove(at))
    });
    match found {
        Ok(Some(entered)) => {
            drop(entered.scope);
            std::thread::panicking() && !entered.panicking
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::with_context;

    fn entered() -> usize {
        ENTERED.with(|all| all.borrow().len())
    }

    #[test]
    fn spans_that_are_never_exited_do_not_pile_up() {
        let id = Id::from_u64(1);
        with_context(Context::empty(), || {
            enter(0, &id, Some(Context::empty()));
            for _ in 0..100 {
                with_context(Context::empty(), || enter(0, &id, Some(Context::empty())));
                assert_eq!(entered(), 2, "the one that is open and the last one");
            }
            assert!(!exit(0, &id));
            assert!(!exit(0, &id));
        });
        assert_eq!(entered(), 0);
    }
    #[test]
    fn nor_do_those_that_change_nothing() {
        with_context(Context::empty(), || {
            enter(0, &Id::from_u64(1), Some(Context::empty()));
            for number in 2..10_000 {
                enter(0, &Id::from_u64(number), None);
                // Ended, and not on top when it could go.
                with_context(Context::empty(), || {
                    enter(0, &Id::from_u64(number), Some(Context::empty()));
                    enter(0, &Id::from_u64(number), None);
                });
                assert!(entered() <= 4 * KEPT);
            }
            let first = |all: &RefCell<Vec<Entered>>| all.borrow()[0].scope.is_some();
            assert!(ENTERED.with(first), "what is open stays");
            assert!(!exit(0, &Id::from_u64(1)));
        });
        ENTERED.take();
    }
}
