//! Who is called for what was just queued.

use crossbeam_utils::CachePadded;

use crate::executor::burial::bury;
use crate::executor::shared::{Remote, Shared};
use crate::sync::atomic::Ordering;
use crate::task::Notified;

impl Shared {
    /// Queues a task from outside the workers. The caller keeps `self` alive.
    pub(crate) fn inject(&self, task: Notified) {
        match self.injector.push(task) {
            // The only one there is; it may be awake, which costs it nothing.
            Ok(()) if self.config.workers == 0 => self.call(Some(0)),
            Ok(()) => self.call(self.idle.worker_to_wake_for_injected()),
            Err(task) => bury(task),
        }
    }

    /// Wakes a worker if somebody has to look at what was just queued.
    #[inline]
    pub(crate) fn notify_one(&self) {
        if self.config.workers == 0 {
            self.call(Some(0));
        } else {
            self.notify_one_unless(|| false);
        }
    }

    /// As [`notify_one`](Self::notify_one), of a runtime with workers, unless the caller can do without. That
    /// is asked only where somebody would be called.
    #[inline]
    pub(crate) fn notify_one_unless(&self, spare: impl FnOnce() -> bool) {
        self.call(self.idle.worker_to_wake(spare));
    }

    #[inline]
    fn call(&self, worker: Option<usize>) {
        if let Some(index) = worker {
            self.remotes[index].parker.unpark(&*self.driver);
        }
    }

    /// Whether a thread in `block_on` has left tasks for others.
    pub(crate) fn guests_have_work(&self) -> bool {
        self.guests().iter().any(|guest| guest.has_work())
    }

    /// Wakes a worker if there is anything in any queue; whoever watches leaves out what workers keep.
    pub(crate) fn notify_if_work_pending(&self, watches: bool) {
        let is_left = |worker: &CachePadded<Remote>| {
            // Ordering: what was queued after it ended to keep tasks says so to whoever finds it.
            worker.has_work() && !(watches && worker.keeps.load(Ordering::Relaxed))
        };
        let pending = !self.injector.is_empty_to_pushers()
            || self.guests_have_work()
            || self.workers().iter().any(is_left);
        if pending {
            self.notify_one();
        }
    }
}
