//! The wrapped future: the only place where a task's Context is swapped in and out.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context as TaskContext, Poll};

use crate::context::contain::{contain, discard, drop_contained};
use crate::context::hand;
use crate::context::slot::{end_scopes, Frame};
use crate::task::header::{Flags, Header};
use crate::task::output::{Failure, Output};
use crate::task::Entered;

/// A user's future inside a task.
///
/// Every poll of it, and its drop, happens between `Frame::enter` and that frame's end, so with
/// the task's Context current; the frame puts back what the thread had before, also when the
/// future panics. Neither `poll` nor `drop` lets a panic out.
///
/// Why here and not around `Runnable::run`: `run` may free the header and then wake the awaiter,
/// which is user code, before it returns. Inside this poll and this drop the task is alive.
pub(crate) struct TaskFuture<F: Future> {
    /// The metadata of the allocation that this future lives in, so valid whenever `self` is.
    header: NonNull<Header>,
    /// Gone once the header says `retired`: the flag is there because here it would cost a word.
    future: ManuallyDrop<F>,
}

// SAFETY: the header is `Send + Sync`; a `!Send` future is only wrapped by `LocalSet`, which keeps
// every poll and drop on its own thread.
unsafe impl<F: Future + Send> Send for TaskFuture<F> {}

impl<F: Future> TaskFuture<F> {
    /// Wraps a future for the task whose metadata `header` is.
    #[inline]
    pub(crate) fn new(header: &Header, future: F) -> Self {
        TaskFuture {
            header: NonNull::from(header),
            future: ManuallyDrop::new(future),
        }
    }

    #[inline(always)]
    fn header<'a>(&self) -> &'a Header {
        // SAFETY: `self` lives in the task's allocation beside the header, and no caller keeps the
        // reference past its own borrow of `self`.
        unsafe { self.header.as_ref() }
    }

    /// Polls the future once in its Context. On anything but `Pending` the future is gone.
    #[inline(always)]
    fn poll_in_context(
        &mut self,
        cx: &mut TaskContext<'_>,
        flags: Flags,
    ) -> Poll<Result<F::Output, Failure>> {
        let header = self.header();
        let _entered = Entered::new(header.id());
        // SAFETY: we are in `poll`, so we have the right to it; the frame ends in this function.
        let _frame = Frame::enter(unsafe { header.context() });
        if !flags.plain() {
            return self.poll_watched(cx, flags);
        }
        match self.poll_once(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => Poll::Ready(self.retire(result)),
        }
    }

    /// The poll of a task that is aborted or has hooks.
    #[cold]
    fn poll_watched(
        &mut self,
        cx: &mut TaskContext<'_>,
        flags: Flags,
    ) -> Poll<Result<F::Output, Failure>> {
        if flags.aborted() {
            return Poll::Ready(self.retire(Err(Failure::cancelled())));
        }
        let header = self.header();
        // SAFETY: we are in `poll`: the future, and with it the scheduler, is there, and we have
        // the right to the Context.
        let (hooks, meta) = unsafe { (header.scheduler().hooks(), header.meta()) };
        let polled = hooks.turn(&meta, || self.poll_once(cx));
        polled.map(|result| self.retire(result))
    }

    #[inline(always)]
    fn poll_once(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<F::Output, Failure>> {
        let polled = contain(|| {
            let on_unwind = OnUnwind(self);
            // SAFETY: the future is pinned with `self` and moved only by being dropped in place.
            let future = unsafe { Pin::new_unchecked(&mut *on_unwind.0.future) };
            let polled = future.poll(cx);
            std::mem::forget(on_unwind);
            polled
        });
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(payload) => {
                // Still in the task's Context, and before its handle knows.
                crate::fail_current_span();
                Poll::Ready(Err(Failure::panicked(payload)))
            }
        }
    }

    /// Drops the future, unless a panic has, inside its Context, and settles the result: a panic of
    /// the destructor fails the task unless it has panicked before.
    #[inline]
    fn retire(&mut self, result: Result<F::Output, Failure>) -> Result<F::Output, Failure> {
        end_scopes();
        // SAFETY: we poll or drop the future, and so have the right to it.
        let dropped = match unsafe { self.header().retire() } {
            true => Ok(()),
            // SAFETY: it was not retired, so the future is there, and it is never touched again.
            false => contain(|| unsafe { ManuallyDrop::drop(&mut self.future) }),
        };
        let result = match dropped {
            Ok(()) => result,
            Err(payload) => Err(Failure::panicked(match result {
                Ok(value) => {
                    if let Err(second) = contain(move || drop(value)) {
                        discard(second);
                    }
                    payload
                }
                Err(failure) => match failure.into_payload() {
                    Some(first) => {
                        discard(payload);
                        first
                    }
                    None => payload,
                },
            })),
        };
        self.terminated();
        result
    }

    fn terminated(&self) {
        let header = self.header();
        if header.flags().hooked() {
            // SAFETY: the caller has the right to the future, and has not called `release` yet.
            let (hooks, meta) = unsafe { (header.scheduler().hooks(), header.meta()) };
            hooks.terminated(&meta);
        }
    }

    /// The future is gone and its frame is left: the Context moves on to the output.
    #[inline]
    fn complete(&mut self, result: Result<F::Output, Failure>) -> Output<F::Output> {
        let header = self.header();
        // SAFETY: the right to poll is ours, the frame that borrowed the Context has ended, the
        // future is gone, and `retired` keeps `drop` from releasing a second time.
        let context = unsafe {
            let context = header.take_context();
            header.release();
            context
        };
        if !header.is_detached() {
            hand::settle(&context);
        }
        header.mark_finished();
        Output::new(header.id(), context, result)
    }
}

/// Drops a future whose poll panics while the panic goes through it, so that destructors which ask
/// find the thread panicking. A second panic ends here.
struct OnUnwind<'a, F: Future>(&'a mut TaskFuture<F>);

impl<F: Future> Drop for OnUnwind<'_, F> {
    fn drop(&mut self) {
        // SAFETY: only whoever polls makes an `OnUnwind`.
        unsafe { self.0.header().retire() };
        end_scopes();
        // SAFETY: whoever polls has found the future there, and it is never touched again.
        if let Err(second) = contain(|| unsafe { ManuallyDrop::drop(&mut self.0.future) }) {
            discard(second);
        }
    }
}

impl<F: Future> Future for TaskFuture<F> {
    type Output = Output<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        // SAFETY: the future inside is never moved.
        let this = unsafe { self.get_unchecked_mut() };
        let header = this.header();
        match this.poll_in_context(cx, header.flags()) {
            Poll::Ready(result) => Poll::Ready(this.complete(result)),
            Poll::Pending => {
                let raw = cx.waker().data() as *mut ();
                // SAFETY: `async-task` polls with the task's own waker, whose data pointer is the
                // task's address, and we have the right to poll.
                if unsafe { header.bind(NonNull::new_unchecked(raw)) } {
                    return Poll::Pending;
                }
                // The executor is shutting down and will not look for this task again.
                let result = {
                    let _entered = Entered::new(header.id());
                    // SAFETY: as in `poll_in_context`.
                    let _frame = Frame::enter(unsafe { header.context() });
                    this.retire(Err(Failure::cancelled()))
                };
                Poll::Ready(this.complete(result))
            }
        }
    }
}

impl<F: Future> Drop for TaskFuture<F> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: `async-task` drops the future with the right to it.
        if !unsafe { self.header().is_retired() } {
            self.drop_unfinished();
        }
    }
}

impl<F: Future> TaskFuture<F> {
    /// Drops a future that was never completed, because the queue goes that its task waits in. A task that waits
    /// for a wake is in the registry, which keeps it until the shutdown.
    #[cold]
    fn drop_unfinished(&mut self) {
        let header = self.header();
        let result = {
            let _entered = Entered::new(header.id());
            // SAFETY: `async-task` drops the future with the right to it, once; the frame ends in
            // this block.
            let _frame = Frame::enter(unsafe { header.context() });
            self.retire(Err(Failure::cancelled()))
        };
        if let Some(payload) = result.err().and_then(Failure::into_payload) {
            let _entered = Entered::new(header.id());
            // SAFETY: as above.
            let _frame = Frame::enter(unsafe { header.context() });
            discard(payload);
        }
        // SAFETY: the right to drop is ours, the frames that borrowed the Context have ended, the
        // future is gone and marked so, and this is the only call to `release`.
        let context = unsafe {
            let context = header.take_context();
            header.release();
            context
        };
        header.mark_finished();
        drop_contained(context);
    }
}
