//! Ids as the formats spell them: lower-case hexadecimal digits, and exactly so many.

use crate::trace::{SpanId, TraceId};

/// What each byte is worth as a digit.
const WORTH: [u8; 256] = {
    let mut worth = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        worth[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    worth
};
/// A bit that no digit is worth.
const NO_DIGIT: u8 = 0x80;

/// Reads two digits.
pub(super) fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| WORTH[usize::from(digit)]);
    (high | low < NO_DIGIT).then_some(high << 4 | low)
}

/// Reads the digits of so many bytes, and exactly these.
fn bytes<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let (mut bytes, mut all) = ([0; N], 0);
    for (byte, digits) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = WORTH[usize::from(digits[0])];
        let low = WORTH[usize::from(digits[1])];
        // Looked at once at the end: there are few that are wrong.
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all < NO_DIGIT).then_some(bytes)
}

/// Reads a trace's id of 32 digits.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    let id = TraceId::from_bytes(bytes(digits)?);
    (!id.is_none()).then_some(id)
}

/// Reads a trace's id of 32 digits, or of the 16 of the 8-byte scheme.
pub(super) fn any_trace_id(digits: &[u8]) -> Option<TraceId> {
    match digits.len() {
        16 => span_id(digits).map(|short| TraceId::new(short.get().into())),
        _ => trace_id(digits),
    }
}

/// Reads a span's id of 16 digits.
pub(super) fn span_id(digits: &[u8]) -> Option<SpanId> {
    any_span_id(digits).filter(|id| !id.is_none())
}

/// Reads a span's id of 16 digits, or the zeros that some write where there is no span.
pub(super) fn any_span_id(digits: &[u8]) -> Option<SpanId> {
    bytes(digits).map(SpanId::from_bytes)
}
