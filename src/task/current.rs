//! The task that this thread is polling: its id and its cooperative budget.

use std::cell::Cell;

use crate::sync::tls;
use crate::task::coop::Budget;
use crate::task::Id;

/// Returns the id of the task that is running.
///
/// # Panics
///
/// If called outside of a task. See [`try_id`].
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// Returns the id of the task that is running, or `None` outside of one.
///
/// It is also there while the task's future, its output or its panic payload is dropped.
pub fn try_id() -> Option<Id> {
    CURRENT.with(|current| Id::from_raw(current.id.get()))
}

/// Marks a task as the one this thread is working for until it is dropped.
pub(crate) struct Entered {
    previous_id: u64,
    previous_budget: Budget,
}

impl Entered {
    /// Enters a task with a fresh budget.
    #[inline(always)]
    pub(crate) fn new(id: Id) -> Entered {
        Self::enter(id.get(), Budget::INITIAL)
    }

    /// Enters the future of a `block_on`, which is no task.
    pub(crate) fn root() -> Entered {
        Self::enter(0, Budget::INITIAL)
    }

    #[inline(always)]
    fn enter(id: u64, budget: Budget) -> Entered {
        CURRENT.with(|current| Entered {
            previous_id: current.id.replace(id),
            previous_budget: current.budget.replace(budget),
        })
    }
}

impl Drop for Entered {
    #[inline(always)]
    fn drop(&mut self) {
        CURRENT.with(|current| {
            current.id.set(self.previous_id);
            current.budget.set(self.previous_budget);
        });
    }
}

/// Takes note that a task is awaited, where somebody wants to know. Returns whether so.
#[inline]
pub(crate) fn note_awaiting() -> bool {
    CURRENT.with(|current| {
        let helping = current.helping.get();
        if helping {
            current.awaiting.set(true);
        }
        helping
    })
}

/// Whether a task was awaited since the last call.
pub(crate) fn take_awaiting() -> bool {
    CURRENT.with(|current| current.awaiting.replace(false))
}

/// Says until dropped whether this thread may run tasks that are awaited on it.
pub(crate) struct Helping {
    previous: bool,
}

impl Helping {
    pub(crate) fn set(helping: bool) -> Helping {
        Helping {
            previous: CURRENT.with(|current| current.helping.replace(helping)),
        }
    }
}

impl Drop for Helping {
    fn drop(&mut self) {
        CURRENT.with(|current| current.helping.set(self.previous));
    }
}

/// Gives `f` this thread's budget cell.
#[inline]
pub(crate) fn with_budget<R>(f: impl FnOnce(&Cell<Budget>) -> R) -> R {
    CURRENT.with(|current| f(&current.budget))
}

struct Current {
    /// Zero outside of tasks.
    id: Cell<u64>,
    budget: Cell<Budget>,
    helping: Cell<bool>,
    awaiting: Cell<bool>,
}

tls! {
    static CURRENT: Current = Current {
        id: Cell::new(0),
        budget: Cell::new(Budget::UNLIMITED),
        helping: Cell::new(false),
        awaiting: Cell::new(false),
    };
}
