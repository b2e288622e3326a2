//! Ids as the formats spell them: lower-case hexadecimal digits, and exactly so many.
//!
//! Eight digits are read and written together, each in a byte of one word: a request has six times as
//! many coming in, and as many going out.

use crate::trace::{SpanId, TraceId};

/// A one in each of eight bytes.
const ONES: u64 = 0x0101_0101_0101_0101;
/// What comes after `9` is as far from it as this.
const GAP: u64 = (b'a' - b'9' - 1) as u64;

/// Spells four bytes.
#[inline]
pub(super) fn spell(bytes: [u8; 4]) -> [u8; 8] {
    let mut digits = u64::from(u32::from_be_bytes(bytes));
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    text(digits).to_be_bytes()
}

/// The digits as text. Each is worth less than 26, so no byte overflows.
#[inline]
fn text(digits: u64) -> u64 {
    let is_letter = (digits + 6 * ONES) >> 4 & ONES;
    digits + u64::from(b'0') * ONES + GAP * is_letter
}

/// Reads what is spelt with eight digits, and these only.
#[inline]
fn read(digits: [u8; 8]) -> Option<[u8; 4]> {
    let spelt = u64::from_be_bytes(digits);
    let is_letter = spelt >> 6 & ONES;
    let mut worth = (spelt & (0x0f * ONES)) + 9 * is_letter;
    // Whatever it was, it is worth less than 26. It was digits if it is less than 16 and spelt so.
    if worth & (0x10 * ONES) != 0 || text(worth) != spelt {
        return None;
    }
    worth = (worth | worth >> 4) & 0x00ff_00ff_00ff_00ff;
    worth = (worth | worth >> 8) & 0x0000_ffff_0000_ffff;
    Some(((worth | worth >> 16) as u32).to_be_bytes())
}

/// Reads the digits of so many words, and exactly these.
#[inline]
fn words<const N: usize>(digits: &[u8]) -> Option<[u32; N]> {
    if digits.len() != 8 * N {
        return None;
    }
    let mut words = [0; N];
    for (word, digits) in words.iter_mut().zip(digits.chunks_exact(8)) {
        *word = u32::from_be_bytes(read(digits.try_into().ok()?)?);
    }
    Some(words)
}

/// Reads two digits.
pub(super) fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits;
    let [.., byte] = read([b'0', b'0', b'0', b'0', b'0', b'0', high, low])?;
    Some(byte)
}

/// Reads a trace's id of 32 digits.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    let [a, b, c, d] = words(digits)?.map(u128::from);
    let id = TraceId::new(a << 96 | b << 64 | c << 32 | d);
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
    let [high, low] = words(digits)?.map(u64::from);
    Some(SpanId::new(high << 32 | low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_standard_library() {
        for bits in [
            0,
            1,
            0x0123_4567,
            0x89ab_cdef,
            u32::MAX,
            0xa9a9_a9a9,
            0x9a00_0f90,
        ] {
            let spelt = spell(bits.to_be_bytes());
            assert_eq!(spelt, *format!("{bits:08x}").as_bytes());
            assert_eq!(read(spelt), Some(bits.to_be_bytes()));
        }
    }

    #[test]
    fn no_other_byte_is_a_digit() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                for other in [b'0', b'9', b'a', b'f'] {
                    let mut digits = [other; 8];
                    digits[place] = byte;
                    let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                    let text = std::str::from_utf8(&digits).ok().filter(|_| is_digit);
                    let bits = text.and_then(|text| u32::from_str_radix(text, 16).ok());
                    assert_eq!(read(digits), bits.map(u32::to_be_bytes), "{digits:?}");
                }
            }
        }
        assert_eq!(byte(*b"f0"), Some(0xf0));
        assert_eq!(byte(*b"F0"), None);
    }

    #[test]
    fn ids_have_exactly_so_many() {
        let digits = b"0123456789abcdef0123456789abcdef0";
        for length in 0..=digits.len() {
            let digits = &digits[..length];
            assert_eq!(trace_id(digits).is_some(), length == 32);
            assert_eq!(any_trace_id(digits).is_some(), matches!(length, 16 | 32));
            assert_eq!(span_id(digits).is_some(), length == 16);
        }
        let id = trace_id(&digits[..32]).unwrap();
        assert_eq!(id.get(), 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(
            any_trace_id(&digits[..16]).unwrap().get(),
            0x0123_4567_89ab_cdef
        );
        assert_eq!(trace_id(&[b'0'; 32]), None);
        assert_eq!(any_trace_id(&[b'0'; 16]), None);
        assert_eq!(span_id(&[b'0'; 16]), None);
        assert_eq!(any_span_id(&[b'0'; 16]).map(|id| id.get()), Some(0));
    }
}
