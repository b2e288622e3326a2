//! The span as B3 headers: one for each field, or all in one.

use crate::context::Context;
use crate::propagation::arrival::Arrival;
use crate::propagation::header::put;
use crate::propagation::line::Line;
use crate::propagation::span_codec::{Found, SpanCodec};
use crate::propagation::{hex, Codec, CodecError, HeaderReader, HeaderWriter};
use crate::trace::{SamplingDecision, Span, SpanContext, TraceId, BEFOREHAND};

const TRACE_ID: &str = "X-B3-TraceId";
const SPAN_ID: &str = "X-B3-SpanId";
const PARENT_ID: &str = "X-B3-ParentSpanId";
const SAMPLED: &str = "X-B3-Sampled";
const FLAGS: &str = "X-B3-Flags";
const SINGLE: &str = "b3";

/// The span in a header for each field.
pub(super) struct B3;

/// The span in the header `b3`.
pub(super) struct B3Single;

/// The span in one of the two forms: OpenTelemetry has both read, the one header before the several, and
/// lets no more than what is written be chosen.
pub(super) struct B3Either {
    pub(super) written: &'static dyn Codec,
}

/// What B3 says of a trace's sampling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sampling {
    Accept,
    Deny,
    /// Accept, and everybody is to report the trace.
    Debug,
    Defer,
}

impl Sampling {
    fn decision(self) -> SamplingDecision {
        match self {
            Sampling::Accept | Sampling::Debug => SamplingDecision::Sample,
            Sampling::Deny => SamplingDecision::DoNotSample,
            Sampling::Defer => SamplingDecision::Unknown,
        }
    }

    /// Writes it as a header of its own, in place of what is said there.
    fn write(self, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        // The text has debug imply accept, and nobody send both.
        let (sampled, flags) = match self {
            Sampling::Accept => (Some("1"), None),
            Sampling::Deny => (Some("0"), None),
            Sampling::Debug => (None, Some("1")),
            Sampling::Defer => (None, None),
        };
        put(headers, SAMPLED, sampled)?;
        put(headers, FLAGS, flags)
    }

    fn of(span: &SpanContext, context: &Context) -> Sampling {
        Sampling::from(span.sampling_decision(), span.trace_id(), context)
    }

    /// What is to be said where there is no span, since what was said to us goes on.
    fn alone(context: &Context) -> Sampling {
        Sampling::from(*context.get(&BEFOREHAND), TraceId::default(), context)
    }

    fn from(decision: SamplingDecision, trace_id: TraceId, context: &Context) -> Sampling {
        let debug = Arrival::of(context, trace_id).is_some_and(|arrival| arrival.debug);
        match decision {
            SamplingDecision::Sample if debug => Sampling::Debug,
            SamplingDecision::Sample => Sampling::Accept,
            SamplingDecision::DoNotSample => Sampling::Deny,
            SamplingDecision::Unknown => Sampling::Defer,
        }
    }
}

/// A decision that came without a span.
fn decided(sampling: Sampling) -> Found {
    let arrival = Arrival {
        debug: sampling == Sampling::Debug,
        ..Arrival::default()
    };
    match sampling {
        Sampling::Defer => Found::Nothing,
        _ => Found::Decision(sampling.decision(), arrival),
    }
}

/// A span that came. Where the text leaves open what becomes of ids beside a field
/// that is malformed, they are as if absent.
fn found([trace_id, id]: [&str; 2], parent_id: Option<&str>, sampling: Sampling) -> Option<Found> {
    let trace_id = hex::any_trace_id(trace_id.as_bytes())?;
    let mut span = SpanContext::new(trace_id, hex::span_id(id.as_bytes())?);
    if let Some(parent_id) = parent_id {
        span = span.with_parent(hex::any_span_id(parent_id.as_bytes())?);
    }
    let arrival = Arrival {
        trace_id,
        debug: sampling == Sampling::Debug,
        ..Arrival::default()
    };
    let span = span.with_sampling(sampling.decision());
    Some(Found::Span(span, arrival))
}

impl Codec for B3 {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        let Some(span) = context.get(Span::key()).context() else {
            return match Sampling::alone(context) {
                // There is nothing to say, and what others say stays.
                Sampling::Defer => Ok(()),
                sampling => sampling.write(headers),
            };
        };
        headers.set(TRACE_ID, Line::new().trace_id(span.trace_id()).as_str())?;
        headers.set(SPAN_ID, Line::new().span_id(span.id()).as_str())?;
        let mut line = Line::new();
        let parent = span.parent_id().map(|parent| line.span_id(parent).as_str());
        put(headers, PARENT_ID, parent)?;
        Sampling::of(&span, context).write(headers)
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        Ok(self.read(headers)?.with(context))
    }
}

impl SpanCodec for B3 {
    fn read(&self, headers: &dyn HeaderReader) -> Result<Found, CodecError> {
        let mut first = [None; 5];
        let names = [TRACE_ID, SPAN_ID, PARENT_ID, SAMPLED, FLAGS];
        headers.each_of(&names, &mut |place, value| {
            first[place].get_or_insert(value);
        });
        let [trace_id, id, parent_id, sampled, flags] = first;
        // Any flags but 1 say nothing.
        let sampling = match (flags, sampled) {
            (Some("1"), _) => Sampling::Debug,
            (_, None) => Sampling::Defer,
            // The words are older than the text, which lets us take them.
            (_, Some("1" | "true")) => Sampling::Accept,
            (_, Some("0" | "false")) => Sampling::Deny,
            (_, Some(_)) => return Err("malformed X-B3-Sampled".into()),
        };
        let (trace_id, id) = match (trace_id, id) {
            (None, None) => return Ok(decided(sampling)),
            (Some(trace_id), Some(id)) => (trace_id, id),
            _ => return Err("half of a B3 span".into()),
        };
        Ok(found([trace_id, id], parent_id, sampling).ok_or("malformed B3 id")?)
    }

    fn as_codec(&self) -> &dyn Codec {
        self
    }
}

impl Codec for B3Single {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        let Some(span) = context.get(Span::key()).context() else {
            return match Sampling::alone(context) {
                Sampling::Accept => headers.set(SINGLE, "1"),
                Sampling::Deny => headers.set(SINGLE, "0"),
                Sampling::Debug => headers.set(SINGLE, "d"),
                Sampling::Defer => Ok(()),
            };
        };
        let mut line = Line::new();
        line.trace_id(span.trace_id()).text("-").span_id(span.id());
        match Sampling::of(&span, context) {
            Sampling::Accept => line.text("-1"),
            Sampling::Deny => line.text("-0"),
            Sampling::Debug => line.text("-d"),
            // Without a decision there is no place for a parent.
            Sampling::Defer => return headers.set(SINGLE, line.as_str()),
        };
        if let Some(parent) = span.parent_id() {
            line.text("-").span_id(parent);
        }
        headers.set(SINGLE, line.as_str())
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        Ok(self.read(headers)?.with(context))
    }
}

impl SpanCodec for B3Single {
    fn read(&self, headers: &dyn HeaderReader) -> Result<Found, CodecError> {
        let Some(value) = headers.first(SINGLE) else {
            return Ok(Found::Nothing);
        };
        let mut fields = value.split('-');
        let ids = match (fields.next(), fields.next()) {
            (Some("0"), None) => return Ok(decided(Sampling::Deny)),
            (Some("1"), None) => return Ok(decided(Sampling::Accept)),
            (Some("d"), None) => return Ok(decided(Sampling::Debug)),
            (Some(trace_id), Some(id)) => [trace_id, id],
            _ => return Err("malformed b3".into()),
        };
        let sampling = match fields.next() {
            None => Sampling::Defer,
            Some("1") => Sampling::Accept,
            Some("0") => Sampling::Deny,
            Some("d") => Sampling::Debug,
            Some(_) => return Err("malformed sampling state in b3".into()),
        };
        let parent_id = fields.next();
        if fields.next().is_some() {
            return Err("more fields than b3 has".into());
        }
        Ok(found(ids, parent_id, sampling).ok_or("malformed id in b3")?)
    }

    fn as_codec(&self) -> &dyn Codec {
        self
    }
}

impl Codec for B3Either {
    fn encode(&self, context: &Context, headers: &mut dyn HeaderWriter) -> Result<(), CodecError> {
        self.written.encode(context, headers)
    }

    fn decode(&self, headers: &dyn HeaderReader, context: &Context) -> Result<Context, CodecError> {
        Ok(self.read(headers)?.with(context))
    }
}

impl SpanCodec for B3Either {
    fn read(&self, headers: &dyn HeaderReader) -> Result<Found, CodecError> {
        match B3Single.read(headers) {
            Ok(Found::Nothing) => B3.read(headers),
            Err(error) => match B3.read(headers) {
                Ok(several @ Found::Span(..)) => Ok(several),
                _ => Err(error),
            },
            found => found,
        }
    }

    fn as_codec(&self) -> &dyn Codec {
        self
    }
}
