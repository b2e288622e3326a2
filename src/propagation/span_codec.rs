//! Codecs of the span, which can say what came in without making a Context of it.

use crate::context::Context;
use crate::propagation::arrival::Arrival;
use crate::propagation::{Codec, CodecError, HeaderReader};
use crate::trace::{SamplingDecision, Span, SpanContext, BEFOREHAND};

/// A codec of the span.
pub(super) trait SpanCodec: Codec {
    /// Reads what the headers say of a span.
    fn read(&self, headers: &dyn HeaderReader) -> Result<Found, CodecError>;

    fn as_codec(&self) -> &dyn Codec;
}

/// What the headers say of a span.
pub(super) enum Found {
    Nothing,
    /// A decision that came without a span: it is about the trace that begins here.
    Decision(SamplingDecision, Arrival),
    Span(SpanContext, Arrival),
}

impl Found {
    /// The Context with it.
    pub(super) fn with(self, context: &Context) -> Context {
        match self {
            Found::Nothing => context.clone(),
            Found::Decision(decision, arrival) => {
                arrival.beside(context.with_key(&BEFOREHAND, decision))
            }
            Found::Span(span, arrival) => {
                arrival.beside(context.with_key(Span::key(), Span::remote(span)))
            }
        }
    }
}
