//! Spans that wait before their work begins.

use std::fmt;
use std::ops::Deref;

use crate::trace::state::Flags;
use crate::trace::{Span, Timestamp};

/// A span that waits before its work begins, as a message does in a mailbox or a job in a queue:
/// made by [`SpanBuilder::delay`](crate::SpanBuilder::delay).
///
/// ```text
///   delay()            start()                     finish()
///      |---------------- |------------------------------|
///         span.wait-time        span.processing-time
///      |------------------------------------------------|
///                      span.elapsed-time
/// ```
///
/// The span is there from the start: it can be tagged, be current and be a parent. As long as its
/// work has not begun, finishing it measures nothing but the wait.
///
/// # Examples
///
/// ```
/// let message = kamon::build_span("handle-message").delay();
/// // The message waits in the mailbox; then its turn comes.
/// let span = message.start();
/// span.finish();
/// ```
#[must_use = "it waits until `start`"]
pub struct DelayedSpan(Span);

impl DelayedSpan {
    pub(super) fn new(span: Span) -> Self {
        DelayedSpan(span)
    }

    /// Begins the work now: the mark `span.started`.
    pub fn start(self) -> Span {
        self.start_at(Timestamp::now())
    }

    /// Begins the work as of some other time.
    pub fn start_at(self, at: impl Into<Timestamp>) -> Span {
        let at = at.into();
        if let Some(body) = self.0.local() {
            let recorded = body.flags().any(Flags::RECORDED);
            self.0.write(body, |details| {
                details.begin(at);
                if recorded {
                    details.mark(at, "span.started".into());
                }
            });
        }
        self.0
    }
}

impl Deref for DelayedSpan {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.0
    }
}

impl fmt::Debug for DelayedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DelayedSpan").field(&self.0).finish()
    }
}
