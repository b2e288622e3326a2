//! The current span: the one in the current Context.

use crate::context::slot::{self, Frame, Overlay};
use crate::context::with_context;
use crate::trace::state::Flags;
use crate::trace::work::Stretch;
use crate::trace::{Span, SpanContext, SpanId, TraceId};

/// Returns the span that is current on this thread, the empty one if none is: short for
/// `current_context().get(Span::key())`.
///
/// # Examples
///
/// ```
/// assert!(kamon::current_span().is_empty());
/// let span = kamon::build_span("find-users").start();
/// kamon::with_span(&span, || assert_eq!(kamon::current_span(), span));
/// # span.finish();
/// ```
#[inline]
pub fn current_span() -> Span {
    slot::with_value(Span::key(), Span::clone)
}

/// Calls `f` with `span` current on this thread, and returns what it returns.
///
/// Does not finish the span. A panic in `f` marks it failed and goes on.
///
/// # Examples
///
/// ```
/// let span = kamon::build_span("operation").start();
/// kamon::with_span(&span, || {
///     // Our span is the current span here.
///     kamon::current_span().mark("half-way");
/// });
/// span.finish();
/// ```
#[inline]
pub fn with_span<R>(span: &Span, f: impl FnOnce() -> R) -> R {
    let around = Overlay::new(Span::key(), span);
    let failing = FailOnUnwind(span);
    let result = {
        let _stretch = Stretch::enter(span);
        let _frame = Frame::enter(&around);
        f()
    };
    std::mem::forget(failing);
    result
}

/// Calls `f` with `span` current on this thread, then finishes the span, and returns what `f`
/// returned.
///
/// A panic in `f` marks the span failed, finishes it and goes on.
///
/// # Examples
///
/// ```
/// let sum = kamon::with_span_finishing(kamon::build_span("one-off").start(), || {
///     // The span is current here.
///     1 + 1
/// });
/// assert_eq!(sum, 2);
/// ```
#[inline]
pub fn with_span_finishing<R>(span: Span, f: impl FnOnce() -> R) -> R {
    let around = Overlay::new(Span::key(), &span);
    let finishing = FinishOnUnwind(&span);
    let result = {
        let _stretch = Stretch::enter(&span);
        let _frame = Frame::enter(&around);
        f()
    };
    std::mem::forget(finishing);
    drop(around);
    span.finish_last();
    result
}

/// Fails a span for the panic that is going through.
struct FailOnUnwind<'a>(&'a Span);

impl Drop for FailOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        panicked(self.0);
    }
}

/// As [`FailOnUnwind`], and finishes it.
struct FinishOnUnwind<'a>(&'a Span);

impl Drop for FinishOnUnwind<'_> {
    #[cold]
    fn drop(&mut self) {
        panicked(self.0);
        if !self.0.is_finished() {
            self.0.finish();
        }
    }
}

/// Says of a span that its code panicked.
pub(crate) fn panicked(span: &Span) {
    if let Some(body) = span.local() {
        body.state().set(Flags::FAILED.and(Flags::PANICKED));
    }
}

/// Fails the current span, because the task in whose Context this is called has panicked. The span
/// is not finished: it need not be the task's alone.
pub(crate) fn fail_current_span() {
    slot::with_value(Span::key(), panicked);
}

/// Calls `f` in a Context in which no spans are made, neither here nor in whatever is called and
/// spawned from here: for those who send spans out, who would else report their own reporting.
pub(crate) fn without_tracing<R>(f: impl FnOnce() -> R) -> R {
    let nobody = SpanContext::new(TraceId::NONE, SpanId::NONE);
    let span = Span::standing(Flags::SUPPRESSED, &nobody);
    let context = slot::with_current(|context| context.with_key(Span::key(), span));
    with_context(context, f)
}
