//! Ending tasks that will never run again, however many of them wake one another as they go.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr;

use crate::sync::tls;
use crate::task::{Keep, Notified};

tls! {
    /// The tasks that wait for the burial that this thread is at; null while it is at none.
    static WAITING: Cell<*mut VecDeque<Waiting>> = Cell::new(ptr::null_mut());
}

/// A task, and what keeps its scheduler until the task is gone: whoever brought it may not wait.
type Waiting = (Notified, Option<Keep>);

/// Aborts a task and gives it the turn in which it drops its future, in its own Context. The caller
/// keeps the task's scheduler.
///
/// Dropping a future may wake other tasks of the same runtime, which end up here too. They wait
/// in line instead of being dropped inside one another, so that a chain of any length needs no
/// more stack than one.
pub(crate) fn bury(task: Notified) {
    task.metadata().mark_aborted();
    let outer = WAITING.with(Cell::get);
    if !outer.is_null() {
        // SAFETY: not null, so `outer` is the queue on the stack of the call of `bury` that this
        // one is inside of; that call takes no reference to it across a task's turn. The task's
        // future is there.
        unsafe {
            let keep = task.metadata().scheduler().keep();
            (*outer).push_back((task, keep));
        }
        return;
    }

    let mut waiting = VecDeque::from([(task, None)]);
    let waiting = ptr::addr_of_mut!(waiting);
    let _line = Aside::begin();
    WAITING.with(|cell| cell.set(waiting));
    // SAFETY: the queue lives until the end of this function, and each access ends before the
    // task gets its turn, in which nested calls push to it.
    while let Some((task, keep)) = unsafe { (*waiting).pop_front() } {
        task.run();
        drop(keep);
    }
}

/// What is buried on this thread does not wait in the line of a burial further up the stack, until this
/// is dropped. For what blocks the thread: that may wait for the end of such a task.
pub(crate) struct Aside {
    outer: *mut VecDeque<Waiting>,
}

impl Aside {
    pub(crate) fn begin() -> Aside {
        Aside {
            outer: WAITING.with(|cell| cell.replace(ptr::null_mut())),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        WAITING.with(|cell| cell.set(self.outer));
    }
}
