//! Headers that are written together, so that their values need one piece of memory.

use std::mem;

use http::{HeaderMap, HeaderName, HeaderValue};
use hyper::body::Bytes;

use crate::integrations::http::carrier::well_known;
use crate::propagation::{check_value, CodecError, HeaderWriter};

/// Headers that are to be put in, with values that lie side by side: so many with so many bytes
/// together. What does not fit has memory of its own.
pub(super) struct Together<'a, const MOST: usize, const ROOM: usize> {
    headers: &'a mut HeaderMap,
    values: Values<ROOM>,
    /// The names, and where their values end: at the same place, where one is the same as that before.
    entries: [Option<(&'a HeaderName, usize)>; MOST],
    count: usize,
    /// Where the last value begins.
    last: usize,
}

#[derive(Clone, Copy)]
struct Values<const ROOM: usize> {
    bytes: [u8; ROOM],
    length: usize,
}

impl<const ROOM: usize> AsRef<[u8]> for Values<ROOM> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl<'a, const MOST: usize, const ROOM: usize> Together<'a, MOST, ROOM> {
    pub(super) fn new(headers: &'a mut HeaderMap) -> Self {
        Together {
            headers,
            values: Values {
                bytes: [0; ROOM],
                length: 0,
            },
            entries: [None; MOST],
            count: 0,
            last: 0,
        }
    }

    /// Has a header put in, which has no other value then; none if no header may have this one.
    pub(super) fn add(&mut self, name: &'a HeaderName, value: &[u8]) -> Result<(), CodecError> {
        if self.put(name, value).is_none() {
            // In the order in which they came: a later one replaces an earlier one.
            self.flush();
            if self.put(name, value).is_none() {
                self.headers.insert(name, HeaderValue::from_bytes(value)?);
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &'a HeaderName, value: &[u8]) -> Option<()> {
        // One that is empty would look as if it were that before.
        if value.is_empty() {
            return None;
        }
        let entry = self.entries.get_mut(self.count)?;
        let Values { bytes, length } = &mut self.values;
        if bytes[self.last..*length] != *value {
            let end = *length + value.len();
            bytes.get_mut(*length..end)?.copy_from_slice(value);
            self.last = mem::replace(length, end);
        }
        *entry = Some((name, *length));
        self.count += 1;
        Some(())
    }

    fn flush(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut rest = Bytes::from_owner(self.values);
        (self.values.length, self.last) = (0, 0);
        let entries = &self.entries[..mem::take(&mut self.count)];
        let mut entries = entries.iter().flatten().copied().peekable();
        let mut begin = 0;
        while let Some((mut name, end)) = entries.next() {
            // Who takes the last one, or the only one, takes what there is and counts nothing.
            let value = HeaderValue::from_maybe_shared(rest.split_to(end - begin)).ok();
            begin = end;
            while let Some((next, _)) = entries.next_if(|(_, same)| *same == end) {
                let name = mem::replace(&mut name, next);
                if let Some(value) = &value {
                    self.headers.insert(name, value.clone());
                }
            }
            if let Some(value) = value {
                self.headers.insert(name, value);
            }
        }
    }
}

impl<const MOST: usize, const ROOM: usize> HeaderWriter for Together<'_, MOST, ROOM> {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        match well_known(name) {
            Some(name) => {
                check_value(value)?;
                self.add(name, value.as_bytes())
            }
            None => {
                self.flush();
                self.headers.set(name, value)
            }
        }
    }

    fn remove(&mut self, name: &str) {
        let mut waiting = self.entries[..self.count].iter().flatten();
        if waiting.any(|(known, _)| known.as_str().eq_ignore_ascii_case(name)) {
            self.flush();
        }
        HeaderWriter::remove(self.headers, name);
    }
}

impl<const MOST: usize, const ROOM: usize> Drop for Together<'_, MOST, ROOM> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_put_in_and_the_last_of_a_name_counts() {
        const MOST: usize = 4;
        const ROOM: usize = 64;
        let long = "x".repeat(ROOM / 2 + 1);
        let names: Vec<HeaderName> = (0..2 * MOST)
            .map(|number| HeaderName::try_from(format!("x-{number}")).unwrap())
            .collect();
        let mut headers = HeaderMap::new();
        headers.append("b3", HeaderValue::from_static("there"));
        headers.append("b3", HeaderValue::from_static("before"));
        let mut together = Together::<MOST, ROOM>::new(&mut headers);
        together.set("b3", "first").unwrap();
        together.set("x-else", "else").unwrap();
        for name in &names {
            together.add(name, name.as_str().as_bytes()).unwrap();
        }
        for _ in 0..3 {
            together.add(&names[0], long.as_bytes()).unwrap();
        }
        together.add(&names[1], long.repeat(2).as_bytes()).unwrap();
        together.set("b3", "last").unwrap();
        together.add(&names[3], b"too early").unwrap();
        together.remove(names[3].as_str());
        together.remove("x-absent");
        together.remove("X-Else");
        for bad in ["a\r\nb: c", "\u{7f}"] {
            let _ = together.add(&names[2], bad.as_bytes());
        }
        for bad in ["a\r\nb: c", " a", "\u{7f}"] {
            assert!(together.set("b3", bad).is_err(), "{bad:?}");
            assert!(together.set("x-else", bad).is_err(), "{bad:?}");
        }
        drop(together);
        assert_eq!(headers.len(), names.len());
        assert_eq!(headers["b3"], "last");
        assert!(!headers.contains_key("x-else") && !headers.contains_key(&names[3]));
        assert_eq!(headers[&names[0]], long);
        assert_eq!(headers[&names[1]], long.repeat(2));
        for name in names[2..].iter().filter(|name| **name != names[3]) {
            assert_eq!(headers[name], name.as_str());
        }
    }

    #[test]
    fn those_with_the_same_value_share_it() {
        let [one, other, bad, last] =
            ["x-one", "x-other", "x-bad", "x-last"].map(|name| HeaderName::try_from(name).unwrap());
        let mut headers = HeaderMap::new();
        let mut together = Together::<8, 64>::new(&mut headers);
        together.add(&one, b"same").unwrap();
        together.add(&other, b"same").unwrap();
        together.add(&bad, b"\x7f").unwrap();
        together.add(&bad, b"\x7f").unwrap();
        together.add(&last, b"else").unwrap();
        drop(together);
        assert_eq!(headers.len(), 3);
        assert_eq!(headers[&one].as_bytes(), b"same");
        assert_eq!(
            headers[&one].as_bytes().as_ptr(),
            headers[&other].as_bytes().as_ptr()
        );
        assert_eq!(headers[&last], "else");

        let mut together = Together::<8, 64>::new(&mut headers);
        together.add(&one, b"more").unwrap();
        together.add(&other, b"").unwrap();
        together.add(&last, b"").unwrap();
        drop(together);
        assert_eq!(headers[&one], "more");
        assert_eq!((headers[&other].len(), headers[&last].len()), (0, 0));
    }
}
