//! HTTP's headers as codecs see them.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::integrations::http::look_up::FEW;
use crate::propagation::{check_header, check_value, CodecError, HeaderReader, HeaderWriter};

impl HeaderReader for HeaderMap {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        let mut each = |value: &'a HeaderValue| {
            if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                each(value);
            }
        };
        if self.len() > FEW {
            return self.get_all(name).iter().for_each(each);
        }
        for (known, value) in self {
            if known.as_str().eq_ignore_ascii_case(name) {
                each(value);
            }
        }
    }
}

impl HeaderWriter for HeaderMap {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        let name = match well_known(name) {
            Some(name) => {
                check_value(value)?;
                name
            }
            None => {
                check_header(name, value)?;
                HeaderName::from_bytes(name.as_bytes())?
            }
        };
        self.insert(name, HeaderValue::from_str(value)?);
        Ok(())
    }
}

/// The names that the formats have, which need neither a check nor memory.
fn well_known(name: &str) -> Option<HeaderName> {
    Some(match name {
        "traceparent" => const { HeaderName::from_static("traceparent") },
        "tracestate" => const { HeaderName::from_static("tracestate") },
        "baggage" => const { HeaderName::from_static("baggage") },
        "b3" => const { HeaderName::from_static("b3") },
        "X-B3-TraceId" => const { HeaderName::from_static("x-b3-traceid") },
        "X-B3-SpanId" => const { HeaderName::from_static("x-b3-spanid") },
        "X-B3-ParentSpanId" => const { HeaderName::from_static("x-b3-parentspanid") },
        "X-B3-Sampled" => const { HeaderName::from_static("x-b3-sampled") },
        "X-B3-Flags" => const { HeaderName::from_static("x-b3-flags") },
        "X-Trace-Token" => const { HeaderName::from_static("x-trace-token") },
        _ => return None,
    })
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

    #[test]
    fn many_headers_are_read_like_few() {
        let mut headers = HeaderMap::new();
        headers.append("b3", HeaderValue::from_static("one"));
        headers.append("b3", HeaderValue::from_static("two"));
        for number in 0..=FEW {
            let mut values = Vec::new();
            headers.each("B3", &mut |value| values.push(value));
            assert_eq!(values, ["one", "two"]);
            assert_eq!(headers.first("b4"), None);
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            headers.append(name, HeaderValue::from_static(""));
        }
        assert!(headers.len() > FEW);
    }

    #[test]
    fn names_that_are_well_known_are_those_that_are_not() {
        for name in [
            "traceparent",
            "tracestate",
            "baggage",
            "b3",
            "X-B3-TraceId",
            "X-B3-SpanId",
            "X-B3-ParentSpanId",
            "X-B3-Sampled",
            "X-B3-Flags",
            "X-Trace-Token",
        ] {
            assert_eq!(
                well_known(name),
                HeaderName::from_bytes(name.as_bytes()).ok()
            );
            let mut headers = HeaderMap::new();
            for bad in ["a\r\nb: c", " a", "a\t", "\u{7f}"] {
                assert!(
                    HeaderWriter::set(&mut headers, name, bad).is_err(),
                    "{bad:?}"
                );
            }
        }
    }
}
