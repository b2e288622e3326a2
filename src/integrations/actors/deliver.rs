//! A message's turn: its Context, its span and its measurements around the handler.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::context::{Context, ContextFutureExt as _};
use crate::integrations::actors::{Class, Origin};
use crate::trace::{build_span, InSpan, Span, TagKey, Timestamp};

/// A message whose turn has come.
pub(crate) struct Arrival<N> {
    pub(crate) context: Context,
    pub(crate) origin: Origin,
    pub(crate) class: &'static Class,
    /// What the operation is called, and the kind of message, if there is to be a span. Only asked
    /// where the message's Context has one.
    pub(crate) operation: Option<N>,
}

/// Handles a message in its Context, measures it, and makes it the work of a span if it is to be
/// one. The handler is called at the first poll, in the Context and the span, and its future is dropped
/// in the Context too.
pub(crate) async fn deliver<F, N>(arrival: Arrival<N>, handle: impl FnOnce() -> F) -> F::Output
where
    F: Future,
    N: FnOnce(bool) -> (TagKey, &'static str),
{
    let Arrival {
        context,
        origin,
        class,
        operation,
    } = arrival;
    let started = Timestamp::now();
    if let Some(sent) = origin.sent {
        class.time_in_mailbox.record(started.duration_since(sent));
    }
    let span = operation.and_then(|operation| {
        let parent = context.get(Span::key());
        (!parent.is_empty()).then(|| {
            let (name, message) = operation(origin.asked);
            let span = build_span(name)
                .as_child_of(parent)
                .with_metric_tag("actor.class", class.name())
                .with_metric_tag("actor.message", message);
            match origin.sent {
                Some(sent) => span.with_from(sent).delay().start_at(started),
                None => span.start(),
            }
        })
    });
    // It does not wait any more.
    drop(origin);
    let _processing = Processing { class, started };
    let handled = async move { handle().await };
    let work = match span {
        Some(span) => Work::Traced {
            handled: handled.in_span(span),
        },
        None => Work::Plain { handled },
    };
    work.in_context(context).await
}

/// A handler at work: measured however it ends.
struct Processing {
    class: &'static Class,
    started: Timestamp,
}

impl Drop for Processing {
    fn drop(&mut self) {
        let took = Timestamp::now().duration_since(self.started);
        self.class.processing_time.record(took);
    }
}

pin_project! {
    /// A handler, the work of a span or not.
    #[project = WorkProjection]
    enum Work<F> {
        Plain { #[pin] handled: F },
        Traced { #[pin] handled: InSpan<F> },
    }
}

impl<F: Future> Future for Work<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        match self.project() {
            WorkProjection::Plain { handled } => handled.poll(cx),
            WorkProjection::Traced { handled } => handled.poll(cx),
        }
    }
}
