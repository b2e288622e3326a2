//! The codec of the span as `traceparent` and `tracestate`.

use crate::context::Context;
use crate::propagation::arrival::Arrival;
use crate::propagation::header::put;
use crate::propagation::span_codec::{Found, SpanCodec};
use crate::propagation::w3c::trace_parent::TraceParent;
use crate::propagation::w3c::trace_state::TraceState;
use crate::propagation::{Codec, CodecError, HeaderReader, HeaderWriter};
use crate::trace::Span;

const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";

/// The span as `traceparent` and `tracestate`.
pub(in crate::propagation) struct W3c;

impl Codec for W3c {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        let Some(span) = context.get(Span::key()).context() else {
            return Ok(());
        };
        let arrival = Arrival::of(context, span.trace_id());
        // "Random" goes on as it came and is not said of traces that begin here, though it would be
        // true: Kamon on the JVM takes a trace as sampled at flags `01` only.
        let random = arrival.is_some_and(|arrival| arrival.random);
        headers.set(TRACE_PARENT, TraceParent { span, random }.print().as_str())?;
        let state = arrival.and_then(|arrival| arrival.trace_state.as_deref());
        // One that is there is of another trace, or was refused.
        put(headers, TRACE_STATE, state)
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        Ok(self.read(headers)?.with(context))
    }
}

impl SpanCodec for W3c {
    fn read(&self, headers: &dyn HeaderReader) -> Result<Found, CodecError> {
        let (mut first, mut more) = (None, false);
        let mut state = TraceState::default();
        headers.each_of(
            &[TRACE_PARENT, TRACE_STATE],
            &mut |place, value| match place {
                0 => {
                    more = first.is_some();
                    first.get_or_insert(value);
                }
                _ => state.add(value),
            },
        );
        let Some(value) = first else {
            return Ok(Found::Nothing);
        };
        // Two of them are one header with a comma in it, says HTTP, and that is no traceparent.
        if more {
            return Err("there is more than one traceparent".into());
        }
        let parent = TraceParent::parse(value).ok_or("malformed traceparent")?;
        // Only a valid traceparent makes the state one that counts; a bad state leaves it valid.
        let arrival = Arrival {
            trace_id: parent.span.trace_id(),
            random: parent.random,
            debug: false,
            trace_state: state.finish().map(Into::into),
        };
        Ok(Found::Span(parent.span, arrival))
    }

    fn as_codec(&self) -> &dyn Codec {
        self
    }
}
