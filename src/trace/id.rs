//! Identities on the wire: [`TraceId`], [`SpanId`] and what is wrong with text that is neither.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::trace::random;

/// Names a trace: 16 bytes, the same in every process that the request passes through.
///
/// Prints as 32 hexadecimal digits, and as 16 where the upper half is zero: an id of the 8-byte
/// scheme looks as it did when it came in. `{:032x}` always prints all of it.
///
/// # Examples
///
/// ```
/// use kamon::TraceId;
///
/// let id = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
/// assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(TraceId::from_hex("a3ce929d0e0e4736").unwrap().to_string(), "a3ce929d0e0e4736");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TraceId(u128);

/// Names a span within its trace: 8 bytes.
///
/// # Examples
///
/// ```
/// use kamon::SpanId;
///
/// let id = SpanId::from_hex("00f067aa0ba902b7").unwrap();
/// assert_eq!(id.to_string(), "00f067aa0ba902b7");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SpanId(u64);

impl TraceId {
    /// The id of no trace, which is what the empty span has.
    pub const NONE: TraceId = TraceId(0);

    /// Returns the id with these bits.
    pub const fn new(bits: u128) -> Self {
        TraceId(bits)
    }

    /// Returns a new id of 16 bytes, never zero.
    #[inline]
    pub fn random() -> Self {
        TraceId(random::wide())
    }

    /// Returns a new id of the 8-byte scheme, never zero.
    #[inline]
    pub fn random_short() -> Self {
        TraceId(u128::from(random::narrow()))
    }

    /// Reads 32 hexadecimal digits, or the 16 of the 8-byte scheme; upper case is as good as lower.
    ///
    /// # Errors
    ///
    /// If there are more or fewer digits, if one is no digit, or if all are zero.
    pub fn from_hex(text: &str) -> Result<Self, ParseIdError> {
        parse(text, &[32, 16]).map(TraceId)
    }

    /// Returns the bits.
    pub const fn get(self) -> u128 {
        self.0
    }

    /// Returns the bytes, the most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Returns the id with these bytes, the most significant first.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        TraceId(u128::from_be_bytes(bytes))
    }

    /// Tells whether this is the id of no trace.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl SpanId {
    /// The id of no span, which is what the empty span has.
    pub const NONE: SpanId = SpanId(0);

    /// Returns the id with these bits.
    pub const fn new(bits: u64) -> Self {
        SpanId(bits)
    }

    /// Returns a new id, never zero.
    #[inline]
    pub fn random() -> Self {
        SpanId(random::narrow())
    }

    /// Reads 16 hexadecimal digits; upper case is as good as lower.
    ///
    /// # Errors
    ///
    /// If there are more or fewer digits, if one is no digit, or if all are zero.
    pub fn from_hex(text: &str) -> Result<Self, ParseIdError> {
        parse(text, &[16]).map(|bits| SpanId(bits as u64))
    }

    /// Returns the bits.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the bytes, the most significant first.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Returns the id with these bytes, the most significant first.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        SpanId(u64::from_be_bytes(bytes))
    }

    /// Tells whether this is the id of no span.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

fn parse(text: &str, lengths: &[usize]) -> Result<u128, ParseIdError> {
    if !lengths.contains(&text.len()) {
        return Err(ParseIdError::Length);
    }
    let mut bits = 0_u128;
    for byte in text.bytes() {
        let digit = char::from(byte).to_digit(16).ok_or(ParseIdError::Digit)?;
        bits = bits << 4 | u128::from(digit);
    }
    if bits == 0 {
        return Err(ParseIdError::Zero);
    }
    Ok(bits)
}

/// Why a text is no [`TraceId`] and no [`SpanId`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParseIdError {
    /// It has too many or too few digits.
    Length,
    /// It has something in it that is no hexadecimal digit.
    Digit,
    /// It is all zeros, which names nothing.
    Zero,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseIdError::Length => "an id has 16 hexadecimal digits, or 32 for a trace",
            ParseIdError::Digit => "an id has hexadecimal digits only",
            ParseIdError::Zero => "an id of zeros names nothing",
        })
    }
}

impl Error for ParseIdError {}

impl FromStr for TraceId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        TraceId::from_hex(text)
    }
}

impl FromStr for SpanId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        SpanId::from_hex(text)
    }
}

impl fmt::LowerHex for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::LowerHex for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::try_from(self.0) {
            Ok(short) => write!(f, "{short:016x}"),
            Err(_) => write!(f, "{:032x}", self.0),
        }
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_they_are_read() {
        for text in ["4bf92f3577b34da6a3ce929d0e0e4736", "a3ce929d0e0e4736"] {
            assert_eq!(TraceId::from_hex(text).unwrap().to_string(), text);
            assert_eq!(
                TraceId::from_hex(&text.to_uppercase()).unwrap().to_string(),
                text
            );
        }
        let padded = TraceId::from_hex("0000000000000000a3ce929d0e0e4736").unwrap();
        assert_eq!(padded.to_string(), "a3ce929d0e0e4736");
        assert_eq!(format!("{padded:032x}"), "0000000000000000a3ce929d0e0e4736");
        let id = TraceId::random();
        assert_eq!(TraceId::from_bytes(id.to_bytes()), id);
        let id = SpanId::random();
        assert_eq!(SpanId::from_bytes(id.to_bytes()), id);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_no_id_says_why() {
        let cases = [
            ("", ParseIdError::Length),
            ("abc", ParseIdError::Length),
            ("4bf92f3577b34da6a3ce929d0e0e47360", ParseIdError::Length),
            ("4bf92f3577b34dag", ParseIdError::Digit),
            ("+bf92f3577b34da6", ParseIdError::Digit),
            ("4bf92f3577b34d\u{e9}", ParseIdError::Digit),
            ("0000000000000000", ParseIdError::Zero),
        ];
        for (text, error) in cases {
            assert_eq!(TraceId::from_hex(text), Err(error), "{text:?}");
            assert_eq!(SpanId::from_hex(text), Err(error), "{text:?}");
        }
        assert_eq!(SpanId::from_hex(&"1".repeat(32)), Err(ParseIdError::Length));
    }

    #[test]
    fn random_ids_differ_and_are_never_none() {
        let ids = || -> Vec<TraceId> { (0..10_000).map(|_| TraceId::random()).collect() };
        let mut all: Vec<TraceId> = (0..4)
            .map(|_| std::thread::spawn(ids))
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|id| !id.is_none() && id.get() >> 64 != 0));
        assert!(!TraceId::random_short().is_none() && TraceId::random_short().get() >> 64 == 0);
    }
}
