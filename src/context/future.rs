//! Futures that run in a Context.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::context::context::Context;
use crate::context::frame::Frame;
use crate::context::saved::SavedScopes;
use crate::context::slot;

/// Gives every future a way to run in a Context of its choice.
///
/// # Examples
///
/// ```
/// use kamon::{Context, ContextFutureExt as _, Key};
///
/// static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
///
/// let context = Context::empty().with_key(&USER_ID, "1234".into());
/// let future = async { kamon::current_context().get(&USER_ID).clone() }.in_context(context);
/// assert_eq!(futures_lite::future::block_on(future), "1234");
/// ```
pub trait ContextFutureExt: Future {
    /// Returns this future with `context` current during each poll and during its drop.
    ///
    /// A [`Scope`](super::Scope) held across an `.await` inside is put aside between two polls
    /// where the task around it is bound to its thread (`block_on`, `spawn_local`), and ends
    /// with the poll everywhere else.
    fn in_context(self, context: Context) -> InContext<Self>
    where
        Self: Sized,
    {
        InContext {
            context,
            saved: SavedScopes::new(),
            future: ManuallyDrop::new(self),
        }
    }

    /// Returns this future with the Context that is current now, at the call, current during each
    /// poll and during its drop.
    ///
    /// For a future that is handed to another executor or task, so that values of keys that are
    /// [not inherited](super::Key::not_inherited) stay behind; to take them along, say
    /// `in_context(current_context())`.
    fn in_current_context(self) -> InContext<Self>
    where
        Self: Sized,
    {
        self.in_context(slot::capture())
    }

    /// Returns this future as the work of `span`: the span is current during each poll and during
    /// the future's drop, on top of whatever Context is current there, and is finished when the
    /// future is.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::ContextFutureExt as _;
    ///
    /// let span = kamon::build_span("find-users").start();
    /// let work = async { kamon::current_span().id() }.in_span(span.clone());
    /// assert_eq!(kamon::block_on(work), span.id());
    /// assert!(span.is_finished());
    /// ```
    fn in_span<S>(self, span: S) -> S::Future
    where
        Self: Sized,
        S: Around<Self>,
    {
        span.around(self)
    }
}

impl<F: Future> ContextFutureExt for F {}

/// What can be put around a future for [`in_span`](ContextFutureExt::in_span): a
/// [`Span`](crate::Span). The Context knows nothing of spans, so the floor above says how.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no span",
    note = "a span is what `kamon::build_span(..).start()` returns"
)]
pub trait Around<F> {
    /// The future with something around it.
    type Future: Future;

    /// Puts it around the future.
    fn around(self, future: F) -> Self::Future;
}

pin_project! {
    /// A future that runs and is dropped in a Context: what [`ContextFutureExt`] returns.
    #[must_use = "futures do nothing unless polled"]
    pub struct InContext<F> {
        context: Context,
        saved: SavedScopes,
        #[pin]
        future: ManuallyDrop<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let _frame = Frame::resume_within(&*this.context, this.saved);
            // SAFETY: the future is not moved, and this is the only place that drops it.
            unsafe { ManuallyDrop::drop(this.future.get_unchecked_mut()) };
        }
    }
}

impl<F> InContext<F> {
    /// Returns the Context in which the future runs.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        // SAFETY: pinned with what is around it, and `ManuallyDrop` moves nothing by itself.
        let future = unsafe { this.future.map_unchecked_mut(|future| &mut **future) };
        let _frame = Frame::resume_within(&*this.context, this.saved);
        future.poll(cx)
    }
}

impl<F: fmt::Debug> fmt::Debug for InContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InContext")
            .field("context", &self.context)
            .field("future", &*self.future)
            .finish()
    }
}
