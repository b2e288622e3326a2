//! What crosses to another process of a span.

use crate::trace::{SamplingDecision, SpanId, TraceId};

/// What crosses to another process of a span: its identity and whether its trace is reported.
///
/// # Examples
///
/// ```
/// use kamon::trace::{SamplingDecision, SpanContext};
/// use kamon::{Span, SpanId, TraceId};
///
/// let came_in = SpanContext::new(
///     TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736")?,
///     SpanId::from_hex("00f067aa0ba902b7")?,
/// )
/// .with_sampling(SamplingDecision::Sample);
/// let parent = Span::remote(came_in);
/// let span = kamon::build_span("handle-request").as_child_of(&parent).start();
/// assert_eq!(span.trace_id(), parent.trace_id());
/// assert_eq!(span.parent_id(), Some(parent.id()));
/// # Ok::<(), kamon::trace::ParseIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SpanContext {
    trace_id: TraceId,
    id: SpanId,
    parent_id: Option<SpanId>,
    sampling: SamplingDecision,
}

impl SpanContext {
    /// Returns the context of a span without a parent whose sampling is left to others.
    pub const fn new(trace_id: TraceId, id: SpanId) -> Self {
        SpanContext {
            trace_id,
            id,
            parent_id: None,
            sampling: SamplingDecision::Unknown,
        }
    }

    /// Returns the context with the span's parent in it.
    #[must_use = "the context is returned, not changed in place"]
    pub const fn with_parent(mut self, parent: SpanId) -> Self {
        self.parent_id = if parent.is_none() { None } else { Some(parent) };
        self
    }

    /// Returns the context with the trace's decision in it.
    #[must_use = "the context is returned, not changed in place"]
    pub const fn with_sampling(mut self, decision: SamplingDecision) -> Self {
        self.sampling = decision;
        self
    }

    /// Returns the trace's id.
    pub const fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Returns the span's id.
    pub const fn id(&self) -> SpanId {
        self.id
    }

    /// Returns the id of the span's parent.
    pub const fn parent_id(&self) -> Option<SpanId> {
        self.parent_id
    }

    /// Returns the trace's decision.
    pub const fn sampling_decision(&self) -> SamplingDecision {
        self.sampling
    }

    /// Tells whether it names a span: neither id is zero.
    pub const fn is_valid(&self) -> bool {
        !self.trace_id.is_none() && !self.id.is_none()
    }
}
