//! Callbacks at a task's turning points.

use std::fmt;
use std::panic::Location;

use crate::context::{slot::Frame, Context};
use crate::sync::Arc;
use crate::task::{contain, discard, Id};

/// What a task hook is told about the task.
///
/// See `Builder::on_task_spawn` and its siblings in [`runtime`](crate::runtime).
#[derive(Clone, Copy)]
pub struct TaskMeta<'a> {
    id: Id,
    location: &'static Location<'static>,
    context: &'a Context,
}

impl<'a> TaskMeta<'a> {
    pub(crate) fn new(id: Id, location: &'static Location<'static>, context: &'a Context) -> Self {
        TaskMeta {
            id,
            location,
            context,
        }
    }

    /// Returns the task's id.
    pub fn id(&self) -> Id {
        self.id
    }

    /// Returns the place in the source where the task was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.location
    }

    /// Returns the Context that the task carries.
    pub fn context(&self) -> &'a Context {
        self.context
    }
}

impl fmt::Debug for TaskMeta<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskMeta")
            .field("id", &self.id)
            .field("spawned_at", &format_args!("{}", self.location))
            .field("context", self.context)
            .finish()
    }
}

/// One callback.
pub(crate) type Hook = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

/// The callbacks of one runtime.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) spawn: Option<Hook>,
    pub(crate) before_poll: Option<Hook>,
    pub(crate) after_poll: Option<Hook>,
    pub(crate) terminate: Option<Hook>,
}

impl Hooks {
    /// Whether a task has to look for hooks at all.
    pub(crate) fn any(&self) -> bool {
        self.spawn.is_some()
            || self.before_poll.is_some()
            || self.after_poll.is_some()
            || self.terminate.is_some()
    }
}

/// Runs a hook in the task's Context. A hook that panics harms neither the task nor the worker, and
/// a Scope that it leaves open ends with it.
pub(crate) fn call(hook: &Option<Hook>, meta: &TaskMeta<'_>) {
    if let Some(hook) = hook {
        let _frame = Frame::enter(meta.context());
        if let Err(payload) = contain(|| hook(meta)) {
            discard(payload);
        }
    }
}
