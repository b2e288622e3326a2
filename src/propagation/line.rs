//! The value of a header of ids, put together on the stack.

use crate::propagation::hex;
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
        self.digits(id.to_bytes())
    }

    /// Adds 32 digits, or 16 for an id of the 8-byte scheme, as it came in.
    pub(crate) fn trace_id(&mut self, id: TraceId) -> &mut Self {
        match u64::try_from(id.get()) {
            Ok(short) => self.digits(short.to_be_bytes()),
            Err(_) => self.wide_trace_id(id),
        }
    }

    /// Adds 16 digits.
    pub(crate) fn span_id(&mut self, id: SpanId) -> &mut Self {
        self.digits(id.to_bytes())
    }

    /// Adds two digits.
    pub(super) fn byte(&mut self, byte: u8) -> &mut Self {
        let [.., high, low] = hex::spell([0, 0, 0, byte]);
        self.add([high, low])
    }

    /// Adds two digits for each byte.
    #[inline]
    fn digits<const N: usize>(&mut self, bytes: [u8; N]) -> &mut Self {
        for word in bytes.chunks_exact(4) {
            self.add(hex::spell([word[0], word[1], word[2], word[3]]));
        }
        self
    }

    #[inline]
    fn add<const N: usize>(&mut self, text: [u8; N]) -> &mut Self {
        self.bytes[self.length..self.length + N].copy_from_slice(&text);
        self.length += N;
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
