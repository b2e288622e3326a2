//! Callbacks at a task's turning points.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::context::contain::{contain, discard};
use crate::context::{slot::Frame, Context};
use crate::sync::Arc;
use crate::task::Id;

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
    pub(crate) attribution: Option<Attribution>,
}

/// Says of each span what the executor did for it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Attribution {
    /// How long a poll may last without being remarked upon.
    pub(crate) longest_poll: Option<Duration>,
}

impl Attribution {
    /// Something that is polled is about to be queued for the first time.
    pub(crate) fn spawned(self, id: Id) {
        crate::task_spawned(id.get());
    }

    /// It was woken.
    pub(crate) fn woken(self, id: Id) {
        crate::task_woken(id.get());
    }

    /// It was woken in its turn, which is over.
    pub(crate) fn yielded(self, id: Id) {
        crate::task_yielded(id.get());
    }

    /// Calls `poll` as a turn of it.
    pub(crate) fn turn<R>(
        self,
        id: Id,
        spawned_at: &'static Location<'static>,
        poll: impl FnOnce() -> R,
    ) -> R {
        crate::timed_turn(id.get(), spawned_at, self.longest_poll, poll)
    }

    /// It will not be polled again.
    pub(crate) fn ended(self, id: Id) {
        crate::task_ended(id.get());
    }
}

impl Hooks {
    /// No callback.
    pub(crate) const NONE: Hooks = Hooks {
        spawn: None,
        before_poll: None,
        after_poll: None,
        terminate: None,
        attribution: None,
    };

    /// Whether a task has to look for hooks at all.
    pub(crate) fn any(&self) -> bool {
        self.spawn.is_some()
            || self.before_poll.is_some()
            || self.after_poll.is_some()
            || self.terminate.is_some()
            || self.attribution.is_some()
    }

    /// Takes note of a task that is about to be queued for the first time.
    pub(crate) fn spawned(&self, meta: &TaskMeta<'_>) {
        call(&self.spawn, meta);
        if let Some(attribution) = self.attribution {
            attribution.spawned(meta.id());
        }
    }

    /// Takes note of a wake. `yielded` says that it came in the task's turn, which is over.
    #[cold]
    pub(crate) fn woken(&self, id: Id, yielded: bool) {
        match self.attribution {
            None => {}
            Some(attribution) if yielded => attribution.yielded(id),
            Some(attribution) => attribution.woken(id),
        }
    }

    /// Calls `poll` as a turn of the task.
    pub(crate) fn turn<R>(&self, meta: &TaskMeta<'_>, poll: impl FnOnce() -> R) -> R {
        call(&self.before_poll, meta);
        let polled = match self.attribution {
            None => poll(),
            Some(attribution) => attribution.turn(meta.id(), meta.spawned_at(), poll),
        };
        call(&self.after_poll, meta);
        polled
    }

    /// Takes note of the end of a task.
    pub(crate) fn terminated(&self, meta: &TaskMeta<'_>) {
        call(&self.terminate, meta);
        if let Some(attribution) = self.attribution {
            attribution.ended(meta.id());
        }
    }
}

/// Runs a hook in the task's Context. A hook that panics harms neither the task nor the worker, and
/// a Scope that it leaves open ends with it.
fn call(hook: &Option<Hook>, meta: &TaskMeta<'_>) {
    if let Some(hook) = hook {
        let _frame = Frame::enter(meta.context());
        if let Err(payload) = contain(|| hook(meta)) {
            discard(payload);
        }
    }
}
