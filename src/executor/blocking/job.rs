//! What a thread is given to do.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use crate::task::{contain, discard, Notified};

/// A piece of work.
pub(super) enum Job {
    /// A closure, as a task.
    Closure(Notified),
    /// Something that needs a thread of its own for as long as it likes.
    Long(Box<dyn FnOnce() + Send>),
}

impl Job {
    /// Does the work; its panics end here.
    pub(super) fn run(self) {
        // The task contains the closure's panic, but not that of the waker of whoever joins it.
        let outcome = contain(|| match self {
            Job::Closure(task) => {
                task.run();
            }
            Job::Long(run) => run(),
        });
        if let Err(payload) = outcome {
            discard(payload);
        }
    }

    pub(super) fn is_long(&self) -> bool {
        matches!(self, Job::Long(_))
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
