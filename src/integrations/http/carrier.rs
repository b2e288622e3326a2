//! HTTP's headers as codecs see them.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::propagation::{check_header, CodecError, HeaderReader, HeaderWriter};

impl HeaderReader for HeaderMap {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        for value in self.get_all(name) {
            if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                each(value);
            }
        }
    }
}

impl HeaderWriter for HeaderMap {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        check_header(name, value)?;
        let name = HeaderName::from_bytes(name.as_bytes())?;
        self.insert(name, HeaderValue::from_str(value)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_written() {
        let mut headers = HeaderMap::new();
        headers.append("x-list", HeaderValue::from_static("one"));
        headers.append("x-list", HeaderValue::from_bytes(b"\xff").unwrap());
        headers.append("x-list", HeaderValue::from_static("two"));
        let mut values = Vec::new();
        headers.each("X-LIST", &mut |value| values.push(value));
        assert_eq!(values, ["one", "two"]);

        HeaderWriter::set(&mut headers, "X-List", "three").unwrap();
        assert_eq!(headers.get_all("x-list").iter().count(), 1);
        assert_eq!(headers.first("x-list"), Some("three"));
        assert!(HeaderWriter::set(&mut headers, "x-list", "a\r\nb: c").is_err());
        assert!(HeaderWriter::set(&mut headers, "x list", "a").is_err());
    }
}
