//! Methods, status codes and URLs as they stand in tags.

use http::{Method, StatusCode};

use crate::integrations::http::RequestHead;
use crate::trace::TagKey;

/// How something that is known of each request is said of its span.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TagMode {
    /// Of the span alone.
    Span,
    /// Of the span's metrics: each value makes time series of its own.
    Metric,
    /// Not at all.
    Off,
}

/// The method as a name. Those that HTTP does not know are one: a client could make them up.
pub(super) fn method(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 9] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::PATCH, "PATCH"),
        (Method::CONNECT, "CONNECT"),
        (Method::TRACE, "TRACE"),
    ];
    let mut known = KNOWN.iter();
    known
        .find(|(known, _)| known == method)
        .map_or("_OTHER", |(_, name)| name)
}

/// The status code as text.
pub(super) fn status(status: StatusCode) -> TagKey {
    // Those of nearly all responses need no memory.
    TagKey::Borrowed(match status.as_u16() {
        200 => "200",
        201 => "201",
        202 => "202",
        204 => "204",
        206 => "206",
        301 => "301",
        302 => "302",
        303 => "303",
        304 => "304",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        405 => "405",
        409 => "409",
        422 => "422",
        429 => "429",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        _ => return TagKey::Owned(status.as_str().to_owned()),
    })
}

/// Writes the URL of a request, with the host that the request is for and without the user's
/// password.
pub(super) fn url(head: &RequestHead<'_>, text: &mut String) {
    let uri = head.uri();
    let path = match uri.path_and_query().map_or("", |path| path.as_str()) {
        // It is no path: the request is for the server as a whole.
        "*" => "",
        path => path,
    };
    let Some(host) = host(head) else {
        text.push_str(path);
        return;
    };
    let scheme = uri.scheme_str().unwrap_or("http");
    // Faster than `format!` and `concat`, and there is one for each request.
    text.reserve(scheme.len() + 3 + host.len() + path.len());
    for part in [scheme, "://", host, path] {
        text.push_str(part);
    }
}

/// The host that a request is for, with the port if one is named.
pub(super) fn host<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    let authority = match head.uri().authority() {
        Some(authority) => authority.as_str(),
        None => head.host()?.to_str().ok()?,
    };
    let host = match authority.bytes().rposition(|byte| byte == b'@') {
        Some(at) => &authority[at + 1..],
        None => authority,
    };
    (!host.is_empty()).then_some(host)
}

/// The host that a request is for, without a port.
pub(super) fn host_name<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    let host = host(head)?;
    // What stands in brackets is an address of IPv6, which has colons of its own.
    let end = match host.rfind(']') {
        Some(bracket) => bracket + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    Some(&host[..end]).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn url(uri: &str, host: Option<&str>) -> String {
        let mut request = Request::get(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let request = request.body(()).unwrap();
        let mut text = String::new();
        super::url(&RequestHead::of(&request), &mut text);
        text
    }

    #[test]
    fn urls_are_whole_and_keep_secrets() {
        assert_eq!(url("/a?b=c", Some("here:80")), "http://here:80/a?b=c");
        assert_eq!(url("/a", None), "/a");
        assert_eq!(url("*", Some("here")), "http://here");
        assert_eq!(url("https://there/a", Some("here")), "https://there/a");
        assert_eq!(url("http://me:secret@there/", None), "http://there/");
        assert_eq!(url("/", Some("me:secret@here")), "http://here/");
    }

    #[test]
    fn names_of_hosts_have_no_port() {
        let name = |uri: &str, host: &str| {
            let request = Request::get(uri).header("host", host).body(()).unwrap();
            host_name(&RequestHead::of(&request)).map(str::to_owned)
        };
        assert_eq!(name("http://there:80/a", "here").as_deref(), Some("there"));
        assert_eq!(name("/a", "me:secret@here:80").as_deref(), Some("here"));
        assert_eq!(name("/a", "here").as_deref(), Some("here"));
        assert_eq!(name("http://[::1]:80/", "here").as_deref(), Some("[::1]"));
        assert_eq!(name("/", "[::1]").as_deref(), Some("[::1]"));
        assert_eq!(name("/", ":80"), None);
    }

    #[test]
    fn methods_are_few() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        assert_eq!(method(&Method::from_bytes(b"MAKE-UP").unwrap()), "_OTHER");
    }

    #[test]
    fn every_status_is_itself() {
        for code in 100..1000 {
            let code = StatusCode::from_u16(code).unwrap();
            assert_eq!(status(code), code.as_str());
        }
    }
}
