//! HTTP's headers as codecs see them.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::integrations::http::look_up::FEW;
use crate::propagation::{check_header, check_value, CodecError, HeaderReader, HeaderWriter};

impl HeaderReader for HeaderMap {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        let values = match well_known(name) {
            Some(name) => self.get_all(name),
            None => self.get_all(name),
        };
        for value in values {
            if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                each(value);
            }
        }
    }

    fn each_of<'a>(&'a self, names: &[&str], each: &mut dyn FnMut(usize, &'a str)) {
        let mut wanted = [None; MOST_NAMES];
        for (wanted, name) in wanted.iter_mut().zip(names) {
            *wanted = well_known(name);
        }
        let wanted = match wanted.get(..names.len()) {
            Some(wanted) if self.len() <= FEW && wanted.iter().all(Option::is_some) => wanted,
            _ => {
                for (place, name) in names.iter().enumerate() {
                    self.each(name, &mut |value| each(place, value));
                }
                return;
            }
        };
        for (name, value) in self {
            if let Some(place) = wanted.iter().position(|wanted| *wanted == Some(name)) {
                if let Ok(value) = std::str::from_utf8(value.as_bytes()) {
                    each(place, value);
                }
            }
        }
    }
}

impl HeaderWriter for HeaderMap {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        let name = match well_known(name) {
            Some(name) => {
                check_value(value)?;
                name.clone()
            }
            None => {
                check_header(name, value)?;
                HeaderName::from_bytes(name.as_bytes())?
            }
        };
        self.insert(name, HeaderValue::from_str(value)?);
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        match well_known(name) {
            Some(name) => HeaderMap::remove(self, name),
            None => HeaderMap::remove(self, name),
        };
    }
}

/// As many as the format with the most of them has.
const MOST_NAMES: usize = 5;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
static B3: HeaderName = HeaderName::from_static("b3");
static X_B3_TRACEID: HeaderName = HeaderName::from_static("x-b3-traceid");
static X_B3_SPANID: HeaderName = HeaderName::from_static("x-b3-spanid");
static X_B3_PARENTSPANID: HeaderName = HeaderName::from_static("x-b3-parentspanid");
static X_B3_SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
static X_B3_FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");
static X_TRACE_TOKEN: HeaderName = HeaderName::from_static("x-trace-token");

/// The names that the formats have, in a shape that needs neither a check nor memory.
pub(super) fn well_known(name: &str) -> Option<&'static HeaderName> {
    Some(match name {
        "traceparent" => &TRACEPARENT,
        "tracestate" => &TRACESTATE,
        "baggage" => &BAGGAGE,
        "b3" => &B3,
        "X-B3-TraceId" => &X_B3_TRACEID,
        "X-B3-SpanId" => &X_B3_SPANID,
        "X-B3-ParentSpanId" => &X_B3_PARENTSPANID,
        "X-B3-Sampled" => &X_B3_SAMPLED,
        "X-B3-Flags" => &X_B3_FLAGS,
        "X-Trace-Token" => &X_TRACE_TOKEN,
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
    fn several_are_read_in_one_pass() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("b3", "one"), ("x-else", "two"), ("b3", "three")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers.append("b3", HeaderValue::from_bytes(b"\xff").unwrap());
        for number in 0..=FEW {
            let mut values = Vec::new();
            for names in [["b4", "X-Else", "b3"], ["baggage", "traceparent", "b3"]] {
                headers.each_of(&names, &mut |place, value| values.push((place, value)));
            }
            let expected = [
                (1, "two"),
                (2, "one"),
                (2, "three"),
                (2, "one"),
                (2, "three"),
            ];
            assert_eq!(values, expected);
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
                HeaderName::from_bytes(name.as_bytes()).ok().as_ref()
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
