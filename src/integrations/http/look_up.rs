//! Headers looked up by their names.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Among so many headers, to look at all of them costs less than to hash names.
pub(super) const FEW: usize = 8;

/// The first value of each of these headers.
#[inline]
pub(super) fn look_up<'a, const N: usize>(
    headers: &'a HeaderMap,
    names: [&HeaderName; N],
) -> [Option<&'a HeaderValue>; N] {
    if headers.len() > FEW {
        return names.map(|name| headers.get(name));
    }
    let mut found = [None; N];
    for (name, value) in headers {
        for (wanted, found) in names.iter().zip(&mut found) {
            if *wanted == name && found.is_none() {
                *found = Some(value);
            }
        }
    }
    found
}

/// The size of a body, as its header says it.
pub(super) fn length(header: &HeaderValue) -> Option<u64> {
    header.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{CONTENT_LENGTH, HOST};

    #[test]
    fn few_and_many_are_looked_up_alike() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("first"));
        headers.append("x-else", HeaderValue::from_static("else"));
        headers.append(HOST, HeaderValue::from_static("second"));
        for number in 0..=FEW {
            let other = HeaderName::from_static("x-else");
            let found = look_up(&headers, [&CONTENT_LENGTH, &HOST, &other]);
            let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
            let expected = [None, Some("first"), Some("else")];
            assert_eq!(
                found
                    .map(|value| value.map(text))
                    .each_ref()
                    .map(Option::as_deref),
                expected
            );
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            headers.append(name, HeaderValue::from_static(""));
        }
        assert!(headers.len() > FEW);
    }
}
