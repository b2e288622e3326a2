//! What this room sees of a span through its handle.

use crate::trace::body::Body;
use crate::trace::counts;
use crate::trace::details::{Details, Locked};
use crate::trace::finish;
use crate::trace::place::{Hold, Vacancy};
use crate::trace::state::Flags;
use crate::trace::{Span, SpanContext, SpanKind, Timestamp};

impl Span {
    /// A span that is there to be looked at: nothing is done in it here.
    pub(super) fn standing(flags: Flags, context: &SpanContext) -> Span {
        let body = Body::new("".into(), SpanKind::Unknown, Timestamp::ZERO);
        let parent_id = context.parent_id().unwrap_or_default();
        let body = body.of(context.trace_id(), context.id(), parent_id);
        Span(Some(Vacancy::find().fill(
            flags,
            &mut Details::default(),
            body,
        )))
    }

    /// The memory behind the handle, whatever lives in it.
    #[inline]
    pub(super) fn body(&self) -> Option<&Hold> {
        self.0.as_ref()
    }

    /// Whether both are handles of one and the same.
    #[inline]
    pub(super) fn is_same(&self, other: &Span) -> bool {
        match (&self.0, &other.0) {
            (Some(this), Some(other)) => this.is_same(other),
            (None, None) => true,
            _ => false,
        }
    }

    /// What is to be seen of it.
    #[inline]
    pub(super) fn seen(&self) -> Option<&Hold> {
        match &self.0 {
            Some(body) if !body.flags().any(Flags::SUPPRESSED) => Some(body),
            _ => None,
        }
    }

    /// The span, if it lives here.
    #[inline]
    pub(super) fn local(&self) -> Option<&Hold> {
        const ELSEWHERE: Flags = Flags::REMOTE.and(Flags::SUPPRESSED);
        self.0.as_ref().filter(|body| !body.flags().any(ELSEWHERE))
    }

    /// The span, if it lives here and is to be reported.
    #[inline]
    pub(super) fn recorded(&self) -> Option<&Hold> {
        self.local()
            .filter(|body| body.flags().any(Flags::RECORDED))
    }

    pub(super) fn has(&self, flags: Flags) -> bool {
        self.seen().is_some_and(|body| body.flags().any(flags))
    }

    pub(super) fn change(&self, change: impl FnOnce(&Hold) -> bool) -> &Span {
        if let Some(body) = self.local() {
            if !change(body) {
                counts::written_too_late();
            }
        }
        self
    }

    /// Says that the span failed. Returns the span if more is to be said of it: what comes too late
    /// is counted here, once.
    pub(super) fn recorded_and_failed(&self) -> Option<&Hold> {
        let mut open = false;
        self.change(|body| {
            open = body.state().set(Flags::FAILED);
            open
        });
        self.recorded().filter(|_| open)
    }

    /// Writes to the span, unless it is finished.
    pub(super) fn write<R>(
        &self,
        body: &Hold,
        write: impl FnOnce(&mut Locked<'_>) -> R,
    ) -> Option<R> {
        match body.lock() {
            Some(mut details) => Some(write(&mut details)),
            None => {
                counts::written_too_late();
                None
            }
        }
    }

    /// Finishes the span as something that did not go as it should.
    pub(super) fn finish_as(&self, outcome: Flags) {
        if let Some(body) = self.local() {
            finish::finish(body, Timestamp::now(), outcome);
        }
    }

    /// Finishes the span, if nobody did, as one whose work was given up: what
    /// [`in_span`](crate::ContextFutureExt::in_span) does for futures, for work in other forms.
    #[allow(dead_code)] // Integrations call it.
    pub(crate) fn cancel(&self) {
        if !self.is_finished() {
            self.finish_as(Flags::CANCELLED);
        }
    }

    /// As [`finish_if_open`](Self::finish_if_open), with a handle that is not needed any more.
    #[inline]
    pub(super) fn finish_last(self) {
        if self.local().is_some() {
            if let Span(Some(body)) = self {
                finish::finish_last(body, Timestamp::now());
            }
        }
    }

    /// Finishes the span if nobody did: for those who cannot know.
    #[inline]
    pub(crate) fn finish_if_open(&mut self) {
        const DONE: Flags = Flags::REMOTE.and(Flags::SUPPRESSED).and(Flags::FINISHED);
        if let Some(body) = &mut self.0 {
            if !body.flags().any(DONE) {
                finish::finish_kept(body, Timestamp::now());
            }
        }
    }
}
