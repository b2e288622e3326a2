//! Futures that are the work of a span.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::context::slot::{Frame, Overlay, ResumedFrame, SavedScopes};
use crate::context::{Around, Context};
use crate::trace::current::panicked;
use crate::trace::state::Flags;
use crate::trace::work::Stretch;
use crate::trace::Span;

impl<F: Future> Around<F> for Span {
    type Future = InSpan<F>;

    fn around(self, future: F) -> InSpan<F> {
        InSpan {
            span: self,
            contexts: None,
            saved: SavedScopes::new(),
            future: Some(future),
        }
    }
}

/// What a span is current on top of, and the two together: kept from one poll to the next, once
/// somebody has asked for them, because a task is polled in one Context nearly always.
struct Contexts {
    below: Context,
    with_span: Context,
}

pin_project! {
    /// A future that is the work of a span: what
    /// [`in_span`](crate::ContextFutureExt::in_span) returns.
    ///
    /// In each poll, and when the future is dropped, the span is current on top of whatever
    /// Context is current around it. The span is finished when the future is ready and its fields
    /// are dropped, before anybody who waits for it hears of it. If the future is dropped before it is
    /// ready the span is finished as `cancelled`, and if it panics, as failed.
    #[must_use = "futures do nothing unless polled"]
    pub struct InSpan<F> {
        span: Span,
        contexts: Option<Contexts>,
        saved: SavedScopes,
        // Gone once the span is finished.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_none() {
                return;
            }
            let finishing = Finishing {
                span: this.span,
                outcome: Flags::CANCELLED,
            };
            {
                let around = Overlay::new(Span::key(), this.span);
                let _frame = enter(this.contexts, &around, this.saved);
                this.future.set(None);
            }
            drop(finishing);
        }
    }
}

impl<F> InSpan<F> {
    /// Returns the span.
    pub fn span(&self) -> &Span {
        &self.span
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let around = Overlay::new(Span::key(), this.span);
        let polled = {
            let _frame = enter(this.contexts, &around, this.saved);
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                panic!("`InSpan` polled after completion");
            };
            let stretch = Stretch::enter_poll(this.span);
            let panicking = FailOnUnwind(this.span);
            let polled = future.poll(cx);
            match polled {
                Poll::Ready(_) => {
                    // Also if it panics the future is gone then, and nobody else finishes the span.
                    let finishing = Finishing {
                        span: this.span,
                        outcome: Flags::FAILED.and(Flags::PANICKED),
                    };
                    this.future.set(None);
                    std::mem::forget(finishing);
                }
                Poll::Pending => stretch.pending(this.span),
            }
            std::mem::forget(panicking);
            polled
        };
        if polled.is_ready() {
            // What the span was current on may hold what belongs to the request.
            *this.contexts = None;
            drop(around);
            this.span.finish_if_open();
        } else if let Some((below, with_span)) = around.made() {
            *this.contexts = Some(Contexts { below, with_span });
        }
        polled
    }
}

/// Makes the span current on top of what is: `around`, or the Context that was made of it in an
/// earlier poll.
#[inline]
fn enter<'a>(
    contexts: &'a mut Option<Contexts>,
    around: &'a Overlay<'a>,
    saved: &'a mut SavedScopes,
) -> ResumedFrame<'a, false> {
    match contexts {
        Some(contexts) if around.lies_on(&contexts.below) => {
            Frame::resume_within(&contexts.with_span, saved)
        }
        _ => Frame::resume_within(around, saved),
    }
}

/// Says of the span that its future panicked. What is left of the future is dropped with it, which
/// finishes the span.
struct FailOnUnwind<'a>(&'a Span);

impl Drop for FailOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        panicked(self.0);
    }
}

/// Finishes the span, also if the future's destructor panics.
struct Finishing<'a> {
    span: &'a Span,
    outcome: Flags,
}

impl Drop for Finishing<'_> {
    fn drop(&mut self) {
        if self.span.is_finished() {
            return;
        }
        self.span.finish_as(self.outcome);
    }
}

impl<F: fmt::Debug> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSpan")
            .field("span", &self.span)
            .field("future", &self.future)
            .finish()
    }
}
