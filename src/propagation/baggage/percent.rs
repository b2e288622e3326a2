//! The percent-encoding of baggage values.

use std::borrow::Cow;

/// Whether the character stands for itself when written. Plus would too, but some read it as a
/// blank.
fn is_plain(byte: u8) -> bool {
    is_octet(byte) && byte != b'%' && byte != b'+'
}

/// Whether the text's grammar has the character in a value.
pub(super) fn is_octet(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !b"\",;\\".contains(&byte)
}

/// Writes a value.
pub(super) fn encode(value: &str, header: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if is_plain(byte) {
            header.push(char::from(byte));
        } else {
            header.push('%');
            header.push(char::from(DIGITS[usize::from(byte >> 4)]));
            header.push(char::from(DIGITS[usize::from(byte & 0xf)]));
        }
    }
}

/// Reads a value. A percent sign without two digits is one, and what is not UTF-8 becomes U+FFFD,
/// as the text has it.
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let mut rest = value.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, others @ ..] = rest {
        rest = match (first, pair(others)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                &others[2..]
            }
            _ => {
                bytes.push(*first);
                others
            }
        };
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn pair(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    Some((digit(0)? << 4 | digit(1)?) as u8)
}
