//! Headers as codecs see them, read and written.

use crate::propagation::CodecError;

/// Headers that came in.
///
/// Implemented for slices, arrays and `Vec`s of pairs, for `HashMap` and `BTreeMap`, and, with the
/// feature `http`, for `http::HeaderMap`.
pub trait HeaderReader {
    /// Calls `each` with every value of the header, in the order in which they came.
    ///
    /// Names are the same if they differ in case only. A value that is not UTF-8 is passed over.
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str));

    /// Calls `each` with every value of any of these headers, and with the place of its name in the
    /// list; those of one header in the order in which they came.
    ///
    /// For carriers that can tell in one pass; what is here asks for one after the other.
    fn each_of<'a>(&'a self, names: &[&str], each: &mut dyn FnMut(usize, &'a str)) {
        for (place, name) in names.iter().enumerate() {
            self.each(name, &mut |value| each(place, value));
        }
    }

    /// Returns the header's first value.
    fn first(&self, name: &str) -> Option<&str> {
        let mut first = None;
        self.each(name, &mut |value| {
            first.get_or_insert(value);
        });
        first
    }
}

/// Headers that go out.
///
/// Implemented for `Vec`s of pairs, for `HashMap` and `BTreeMap`, and, with the feature `http`, for
/// `http::HeaderMap`.
pub trait HeaderWriter {
    /// Writes a header, in place of all that are there under this name in any case.
    ///
    /// # Errors
    ///
    /// If name or value cannot stand in a header; see [`check_header`].
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError>;

    /// Takes away all that are there under this name in any case.
    ///
    /// For what a codec would write and does not this time: headers may be those of a request that is
    /// passed on, and what stood in them is of another trace. Does nothing unless a carrier says how, which is
    /// enough for one that begins empty.
    fn remove(&mut self, name: &str) {
        let _ = name;
    }
}

/// Writes a header, or sees to it that there is none.
pub(super) fn put(
    headers: &mut dyn HeaderWriter,
    name: &str,
    value: Option<&str>,
) -> Result<(), CodecError> {
    match value {
        Some(value) => headers.set(name, value),
        None => {
            headers.remove(name);
            Ok(())
        }
    }
}

/// Tells whether a name and a value may stand in a header: the name is a token, and the value has no
/// control characters in it and no blanks around it.
///
/// For implementations of [`HeaderWriter`]: a value with a line break would become two headers.
///
/// # Errors
///
/// If they may not.
pub fn check_header(name: &str, value: &str) -> Result<(), CodecError> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("the name of a header is a token".into());
    }
    check_value(value)
}

/// The same for a value whose header has a good name.
pub(crate) fn check_value(value: &str) -> Result<(), CodecError> {
    // All are looked at, which is faster than to stop at one that there never is.
    let is_bad = |byte: u8| byte.is_ascii_control() & (byte != b'\t');
    if value.bytes().fold(false, |bad, byte| bad | is_bad(byte)) {
        return Err("a header has no control characters in it".into());
    }
    if value.starts_with(BLANKS) || value.ends_with(BLANKS) {
        return Err("blanks around a header would be lost on the way".into());
    }
    Ok(())
}

/// What HTTP calls optional white space.
pub(super) const BLANKS: [char; 2] = [' ', '\t'];

/// Whether HTTP allows the character in a token.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl<R: HeaderReader + ?Sized> HeaderReader for &R {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        (**self).each(name, each);
    }

    fn each_of<'a>(&'a self, names: &[&str], each: &mut dyn FnMut(usize, &'a str)) {
        (**self).each_of(names, each);
    }

    fn first(&self, name: &str) -> Option<&str> {
        (**self).first(name)
    }
}

impl<W: HeaderWriter + ?Sized> HeaderWriter for &mut W {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        (**self).set(name, value)
    }

    fn remove(&mut self, name: &str) {
        (**self).remove(name);
    }
}
