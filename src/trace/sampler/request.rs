//! What a sampler is told about a trace.

use crate::trace::{SamplingDecision, SpanKind, TraceId};

/// What a [`Sampler`](super::Sampler) is told about the span with which a trace enters this process.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SamplingRequest<'a> {
    /// Which trace.
    pub trace_id: TraceId,
    /// What is done.
    pub operation: &'a str,
    /// Which side of a conversation it is.
    pub kind: SpanKind,
    /// What the other process says, if the trace comes from one.
    pub parent: Option<SamplingDecision>,
}
