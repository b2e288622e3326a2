//! Waiting for a task.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
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
    /// Taken when the handle is dropped. One word: who spawns many keeps as many of these.
    task: ManuallyDrop<Joined<T>>,
}

type Joined<T> = FallibleTask<Output<T>, Header>;

// SAFETY: what may be reached through a handle on another thread is the task's state (atomics)
// and, by value, its output, which is `Send`.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives no access to the output.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// Wraps the handle of the task at `raw`.
    #[inline]
    pub(crate) fn new(task: Joined<T>, raw: NonNull<()>) -> Self {
        let handle = JoinHandle {
            task: ManuallyDrop::new(task),
        };
        assert_eq!(
            handle.raw(),
            raw,
            "async-task's handle is the task's address"
        );
        handle
    }

    /// The task's address, valid as long as the handle is.
    #[inline(always)]
    fn raw(&self) -> NonNull<()> {
        const { assert!(size_of::<Joined<T>>() == size_of::<NonNull<()>>()) };
        let task: *const Joined<T> = &*self.task;
        // SAFETY: a pointer to the task's allocation is all that `async-task` has to find the task
        // by, and there is no room for more than one; `new` has compared it.
        unsafe { task.cast::<NonNull<()>>().read() }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the handle keeps the task alive.
        unsafe { Header::of(self.raw()) }
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
        // SAFETY: the handle keeps the task alive.
        unsafe { header::abort(self.raw()) }
    }

    /// Returns whether the task has finished: its future is gone and its result is there.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Returns a handle that can abort the task but not join it.
    pub fn abort_handle(&self) -> AbortHandle {
        // SAFETY: the handle keeps the task alive; the abort handle gets a count of its own.
        unsafe { AbortHandle::new(self.raw()) }
    }

    /// Returns the task's id.
    pub fn id(&self) -> Id {
        self.header().id()
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        assert!(
            !self.header().is_claimed(),
            "JoinHandle polled after completion"
        );
        let progress = ready!(coop::poll_proceed(cx));
        let output = match Pin::new(&mut *self.task).poll(cx) {
            Poll::Ready(output) => output,
            Poll::Pending => {
                if note_awaiting() {
                    self.header().mark_awaited();
                }
                return Poll::Pending;
            }
        };
        progress.made_progress();
        self.header().mark_claimed();
        Poll::Ready(match output {
            Some(output) => output.claim(),
            // The task was dropped unrun.
            None => Err(JoinError::cancelled(self.id())),
        })
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        self.header().mark_detached();
        // SAFETY: taken once, here.
        unsafe { ManuallyDrop::take(&mut self.task) }.detach();
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .finish()
    }
}
