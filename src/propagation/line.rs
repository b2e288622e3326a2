//! The value of a header of ids, put together on the stack.

use crate::trace::{SpanId, TraceId};

/// As long as the longest of them: `b3` with two spans, a trace, and what stands between.
const LENGTH: usize = 68;

/// The value of a header of ids, put together on the stack.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    bytes: [u8; LENGTH],
    length: usize,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Line {
            bytes: [0; LENGTH],
            length: 0,
        }
    }

    /// Adds what is ASCII.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let end = self.length + text.len();
        self.bytes[self.length..end].copy_from_slice(text.as_bytes());
        self.length = end;
        self
    }

    /// Adds 32 digits.
    pub(super) fn wide_trace_id(&mut self, id: TraceId) -> &mut Self {
        self.digits(&id.to_bytes())
    }

    /// Adds 32 digits, or 16 for an id of the 8-byte scheme, as it came in.
    pub(crate) fn trace_id(&mut self, id: TraceId) -> &mut Self {
        match u64::try_from(id.get()) {
            Ok(short) => self.digits(&short.to_be_bytes()),
            Err(_) => self.wide_trace_id(id),
        }
    }

    /// Adds 16 digits.
    pub(crate) fn span_id(&mut self, id: SpanId) -> &mut Self {
        self.digits(&id.to_bytes())
    }

    /// Adds two digits for each byte.
    pub(super) fn digits(&mut self, bytes: &[u8]) -> &mut Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let end = self.length + 2 * bytes.len();
        let places = self.bytes[self.length..end].chunks_exact_mut(2);
        for (place, byte) in places.zip(bytes) {
            place[0] = DIGITS[usize::from(byte >> 4)];
            place[1] = DIGITS[usize::from(byte & 0xf)];
        }
        self.length = end;
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Line {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
