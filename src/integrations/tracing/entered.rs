//! The tracing spans that are entered on this thread, each with the Scope of its Context.

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
    scope: Scope,
}

thread_local! {
    // No user code runs while it is borrowed.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

/// Makes the Context current until the span is exited.
pub(super) fn enter(layer: u64, span: &Id, context: Context) {
    let entered = Entered {
        layer,
        span: span.into_u64(),
        task: task::try_id(),
        panicking: std::thread::panicking(),
        scope: store_context(context),
    };
    // At the very end of a thread there is no list any more, and the Scope is closed at once.
    let _ = ENTERED.try_with(|all| {
        let mut all = all.borrow_mut();
        // A guard that was sent away or held across an await in a task that moves: its Scope has ended
        // with the poll.
        while all.last().is_some_and(|last| !last.scope.is_open()) {
            all.pop();
        }
        all.push(entered);
    });
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
            enter(0, &id, Context::empty());
            for _ in 0..100 {
                with_context(Context::empty(), || enter(0, &id, Context::empty()));
                assert_eq!(entered(), 2, "the one that is open and the last one");
            }
            assert!(!exit(0, &id));
            assert!(!exit(0, &id));
        });
        assert_eq!(entered(), 0);
    }
}
