//! What the models see of this room.

use crate::context::slot;
use crate::sync::Living;
use crate::task;

/// What a thread had before it gave a task its turn.
pub(crate) struct Before {
    context: usize,
    task: Option<task::Id>,
}

impl Before {
    pub(crate) fn turn() -> Before {
        Before { context: slot::raw(), task: task::try_id() }
    }

    /// # Panics
    ///
    /// When the turn has left something of its task on this thread.
    pub(crate) fn assert_same(self) {
        assert_eq!(slot::raw(), self.context, "STALE: a turn has left its Context behind");
        assert!(slot::is_settled(), "STALE: a turn has left an open Scope behind");
        assert_eq!(task::try_id(), self.task, "STALE: a turn has left its task's id behind");
    }
}

/// Tasks and runtimes that are alive, with their number.
pub fn alive() -> Vec<(&'static str, usize)> {
    Living::census()
}

/// Forgets the tasks and runtimes of an execution that is over.
pub fn forget_alive() {
    Living::forget();
}
