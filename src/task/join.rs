//! Waiting for a task.

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{ready, Context as TaskContext, Poll};

use async_task::FallibleTask;

use crate::task::current::note_awaiting;
use crate::task::header::{self, Header};
use crate::task::output::Output;
use crate::task::{coop, AbortHandle, Id, JoinError};

/// Owns the permission to wait for a task.
///
/// Awaiting it gives the task's output, or a [`JoinError`] if the task panicked or was
/// cancelled. Dropping it *detaches* the task, which goes on running. The Context of whoever
/// awaits is untouched: after `.await` the same Context is current as before.
///
/// # Examples
///
/// ```
/// kamon::block_on(async {
///     let handle = kamon::spawn(async { 6 * 7 });
///     assert_eq!(handle.await.unwrap(), 42);
/// });
/// ```
pub struct JoinHandle<T> {
    /// `None` once the result was taken.
    task: Option<FallibleTask<Output<T>, Header>>,
    /// The task's address; valid while `task` is there.
    raw: NonNull<()>,
    id: Id,
}

// SAFETY: what may be reached through a handle on another thread is the task's state (atomics)
// and, by value, its output, which is `Send`.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives no access to the output.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    pub(crate) fn new(task: FallibleTask<Output<T>, Header>, raw: NonNull<()>, id: Id) -> Self {
        JoinHandle {
            task: Some(task),
            raw,
            id,
        }
    }

    /// Asks the task to end.
    ///
    /// It ends when it next yields (or at once if it is waiting): its future is dropped on the
    /// executor, in the task's Context, and then the handle resolves to a
    /// [cancelled](JoinError::is_cancelled) error. A task that has already finished is not
    /// affected, and a task of [`spawn_blocking`](crate::task::spawn_blocking) that has begun
    /// cannot be stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// kamon::block_on(async {
    ///     let handle = kamon::spawn(std::future::pending::<()>());
    ///     handle.abort();
    ///     assert!(handle.await.unwrap_err().is_cancelled());
    /// });
    /// ```
    pub fn abort(&self) {
        if self.task.is_some() {
            // SAFETY: the handle keeps the task alive.
            unsafe { header::abort(self.raw) }
        }
    }

    /// Returns whether the task has finished: its future is gone and its result is there.
    pub fn is_finished(&self) -> bool {
        match &self.task {
            Some(task) => task.is_finished(),
            None => true,
        }
    }

    /// Returns a handle that can abort the task but not join it.
    pub fn abort_handle(&self) -> AbortHandle {
        match self.task {
            // SAFETY: the handle keeps the task alive; the abort handle gets a count of its own.
            Some(_) => unsafe { AbortHandle::new(self.raw, self.id) },
            None => AbortHandle::finished(self.id),
        }
    }

    /// Returns the task's id.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let progress = ready!(coop::poll_proceed(cx));
        let task = self
            .task
            .as_mut()
            .expect("JoinHandle polled after completion");
        let output = match Pin::new(task).poll(cx) {
            Poll::Ready(output) => output,
            Poll::Pending => {
                if note_awaiting() {
                    // SAFETY: the handle keeps the task alive.
                    unsafe { Header::of(self.raw) }.mark_awaited();
                }
                return Poll::Pending;
            }
        };
        progress.made_progress();
        if let Some(task) = self.task.take() {
            task.detach();
        }
        Poll::Ready(match output {
            Some(output) => output.claim(),
            // The task was dropped unrun.
            None => Err(JoinError::cancelled(self.id)),
        })
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id).finish()
    }
}
