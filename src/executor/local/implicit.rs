//! A home for `spawn_local` directly inside a `block_on`, where the user has made none.

use std::cell::OnceCell;
use std::task::Context as TaskContext;

use crate::executor::local::current::ImplicitGuard;
use crate::executor::local::queue::Shared;
use crate::executor::local::LocalSet;
use crate::sync::Arc;

/// A local set that comes into being when it is first needed.
pub(crate) struct ImplicitLocal {
    set: OnceCell<LocalSet>,
}

impl ImplicitLocal {
    /// Makes one; nothing is allocated before the first `spawn_local`.
    pub(crate) const fn new() -> ImplicitLocal {
        ImplicitLocal {
            set: OnceCell::new(),
        }
    }

    /// Makes this the set of a `spawn_local` that finds no other, until the guard is dropped. The
    /// guard belongs around the polls of the future that is blocked on, and not around other tasks
    /// that the thread runs in between.
    pub(crate) fn enter(&self) -> ImplicitGuard<'_> {
        ImplicitGuard::enter(self)
    }

    /// Gives tasks that are ready a turn, and sees to it that `cx` is woken for the others.
    #[inline]
    pub(crate) fn poll(&self, cx: &mut TaskContext<'_>) {
        if let Some(set) = self.set.get() {
            set.shared().poll_tasks(cx);
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.set.get_or_init(LocalSet::new).shared()
    }
}
