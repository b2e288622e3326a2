//! Ids as the formats spell them: lower-case hexadecimal digits, and exactly so many.

use crate::trace::{SpanId, TraceId};

/// Reads lower-case digits, at most 32 of them.
pub(super) fn bits(digits: &[u8]) -> Option<u128> {
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    let mut bits = 0_u128;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        bits = bits << 4 | u128::from(value);
    }
    Some(bits)
}

/// Reads a trace's id of 32 digits.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    let bits = (digits.len() == 32).then(|| bits(digits))??;
    Some(TraceId::new(bits)).filter(|id| !id.is_none())
}

/// Reads a trace's id of 32 digits, or of the 16 of the 8-byte scheme.
pub(super) fn any_trace_id(digits: &[u8]) -> Option<TraceId> {
    match digits.len() {
        16 => bits(digits).map(TraceId::new).filter(|id| !id.is_none()),
        _ => trace_id(digits),
    }
}

/// Reads a span's id of 16 digits.
pub(super) fn span_id(digits: &[u8]) -> Option<SpanId> {
    any_span_id(digits).filter(|id| !id.is_none())
}

/// Reads a span's id of 16 digits, or the zeros that some write where there is no span.
pub(super) fn any_span_id(digits: &[u8]) -> Option<SpanId> {
    let bits = (digits.len() == 16).then(|| bits(digits))??;
    Some(SpanId::new(bits as u64))
}
