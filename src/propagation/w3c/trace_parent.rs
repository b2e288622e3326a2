//! The value of `traceparent`: version, trace, span and flags.

use crate::propagation::header::BLANKS;
use crate::propagation::hex;
use crate::propagation::line::Line;
use crate::trace::{SamplingDecision, SpanContext};

const SAMPLED: u8 = 0x01;
const RANDOM: u8 = 0x02;
/// The only version whose values end with the flags.
const VERSION: u8 = 0x00;
/// The text forbids it.
const NO_VERSION: u8 = 0xff;
/// `00-`, 32 digits, a dash, 16 digits, a dash, two digits.
const LENGTH: usize = 55;

/// The value of `traceparent`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TraceParent {
    pub(super) span: SpanContext,
    pub(super) random: bool,
}

impl TraceParent {
    /// Reads a value; what is not exactly as the text has it is none.
    pub(super) fn parse(value: &str) -> Option<TraceParent> {
        let value = value.trim_matches(BLANKS).as_bytes();
        let (fields, more) = value.split_at_checked(LENGTH)?;
        let version = hex::byte([fields[0], fields[1]])?;
        let dashes = fields[2] == b'-' && fields[35] == b'-' && fields[52] == b'-';
        // A later version may go on after a dash; the first one may not.
        let ends = match more.first() {
            None => true,
            Some(next) => version != VERSION && *next == b'-',
        };
        if version == NO_VERSION || !dashes || !ends {
            return None;
        }
        let flags = hex::byte([fields[53], fields[54]])?;
        let sampling = match flags & SAMPLED {
            0 => SamplingDecision::DoNotSample,
            _ => SamplingDecision::Sample,
        };
        let span = SpanContext::new(
            hex::trace_id(&fields[3..35])?,
            hex::span_id(&fields[36..52])?,
        );
        Some(TraceParent {
            span: span.with_sampling(sampling),
            random: flags & RANDOM != 0,
        })
    }

    /// The value as it goes out: version 00, and no flag of which we do not know what it says.
    pub(super) fn print(&self) -> Line {
        let mut flags = 0;
        if self.span.sampling_decision() == SamplingDecision::Sample {
            flags |= SAMPLED;
        }
        if self.random {
            flags |= RANDOM;
        }
        let mut line = Line::new();
        line.text("00-").wide_trace_id(self.span.trace_id());
        line.text("-").span_id(self.span.id());
        line.text("-").byte(flags);
        line
    }
}
