//! The codec of the span in Kamon's binary format.

use crate::context::Context;
use crate::propagation::colfer::span::SpanFields;
use crate::propagation::{BinaryCodec, CodecError};
use crate::trace::{SamplingDecision, Span, SpanContext, SpanId, TraceId};

const SAMPLE: u8 = 1;
const DO_NOT_SAMPLE: u8 = 2;
const UNKNOWN: u8 = 3;

/// The span in Kamon's binary format.
pub(in crate::propagation) struct Colfer;

impl BinaryCodec for Colfer {
    fn encode(&self, context: &Context, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
        let Some(span) = context.get(Span::key()).context() else {
            return Ok(());
        };
        let wide = span.trace_id().to_bytes();
        // An id of the 8-byte scheme goes out in as many bytes as it came in.
        let short = wide[..8] == [0; 8];
        let parent_id = span.parent_id().map(SpanId::to_bytes);
        let fields = SpanFields {
            trace_id: if short { &wide[8..] } else { &wide },
            id: &span.id().to_bytes(),
            parent_id: parent_id.as_ref().map_or(&[], |id| id),
            sampling: match span.sampling_decision() {
                SamplingDecision::Sample => SAMPLE,
                SamplingDecision::DoNotSample => DO_NOT_SAMPLE,
                SamplingDecision::Unknown => UNKNOWN,
            },
        };
        bytes.extend(fields.encode()?);
        Ok(())
    }

    fn decode(&self, bytes: &[u8], context: &Context) -> Result<Context, CodecError> {
        let fields = SpanFields::decode(bytes)?;
        let trace_id = trace_id(fields.trace_id).ok_or("a trace's id has 8 bytes or 16")?;
        let id = span_id(fields.id).ok_or("a span's id has 8 bytes")?;
        let mut span = SpanContext::new(trace_id, id);
        if !fields.parent_id.is_empty() {
            span = span.with_parent(span_id(fields.parent_id).ok_or("a parent's id has 8 bytes")?);
        }
        let span = span.with_sampling(match fields.sampling {
            SAMPLE => SamplingDecision::Sample,
            DO_NOT_SAMPLE => SamplingDecision::DoNotSample,
            _ => SamplingDecision::Unknown,
        });
        // Kamon makes a span of empty ids too, and cuts long ones; here they are no span.
        if !span.is_valid() {
            return Err("an id of zeros names nothing".into());
        }
        Ok(context.with_key(Span::key(), Span::remote(span)))
    }
}

fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    let wide = bytes.try_into().map(TraceId::from_bytes);
    let short = || span_id(bytes).map(|id| TraceId::new(u128::from(id.get())));
    wide.ok().or_else(short)
}

fn span_id(bytes: &[u8]) -> Option<SpanId> {
    bytes.try_into().map(SpanId::from_bytes).ok()
}
