//! Ending tasks that will never run again, however many of them wake one another as they go.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr;

use crate::sync::tls;
use crate::task::Notified;

tls! {
    /// The tasks that wait for the burial that this thread is at; null while it is at none.
    static WAITING: Cell<*mut VecDeque<Notified>> = Cell::new(ptr::null_mut());
}

/// Aborts a task and gives it the turn in which it drops its future, in its own Context.
///
/// Dropping a future may wake other tasks of the same runtime, which end up here too. They wait
/// in line instead of being dropped inside one another, so that a chain of any length needs no
/// more stack than one.
pub(crate) fn bury(task: Notified) {
    task.metadata().mark_aborted();
    let outer = WAITING.with(Cell::get);
    if !outer.is_null() {
        // SAFETY: not null, so `outer` is the queue on the stack of the call of `bury` that this
        // one is inside of; that call takes no reference to it across a task's turn.
        unsafe { (*outer).push_back(task) };
        return;
    }

    let mut waiting = VecDeque::from([task]);
    let waiting = ptr::addr_of_mut!(waiting);
    WAITING.with(|cell| cell.set(waiting));
    let _clear = Clear;
    // SAFETY: the queue lives until the end of this function, and each access ends before the
    // task gets its turn, in which nested calls push to it.
    while let Some(task) = unsafe { (*waiting).pop_front() } {
        task.run();
    }
}

struct Clear;

impl Drop for Clear {
    fn drop(&mut self) {
        WAITING.with(|cell| cell.set(ptr::null_mut()));
    }
}
