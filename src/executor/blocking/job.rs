//! What a thread is given to do.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use crate::context::contain::{contain, discard};
use crate::sync::Arc;
use crate::task::Notified;
use crate::time::Timers;

/// A piece of work.
pub(super) enum Job {
    /// A closure, as a task, and the word that the clock has to wait for it.
    Closure(Notified, Hold),
    /// Something that needs a thread of its own for as long as it likes.
    Long(Box<dyn FnOnce() + Send>),
}

impl Job {
    /// Does the work; its panics end here.
    pub(super) fn run(self) {
        match self {
            Job::Closure(task, _hold) => {
                task.run();
            }
            Job::Long(run) => {
                if let Err(payload) = contain(run) {
                    discard(payload);
                }
            }
        }
    }

    pub(super) fn is_long(&self) -> bool {
        matches!(self, Job::Long(_))
    }
}

/// Keeps a paused clock from jumping ahead until it is dropped.
pub(super) struct Hold(Arc<Timers>);

impl Hold {
    pub(super) fn new(timers: Arc<Timers>) -> Hold {
        timers.hold();
        Hold(timers)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A closure as a future: it runs in the first poll, which is the last.
pub(super) struct ClosureFuture<F>(Option<F>);

impl<F> ClosureFuture<F> {
    pub(super) fn new(closure: F) -> Self {
        ClosureFuture(Some(closure))
    }
}

impl<F> Unpin for ClosureFuture<F> {}

impl<F: FnOnce() -> R, R> Future for ClosureFuture<F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<R> {
        let closure = self.0.take().expect("a blocking task is polled once");
        Poll::Ready(closure())
    }
}
