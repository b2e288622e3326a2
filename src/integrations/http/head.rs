//! The head of a request: what an operation may be named by.

use std::fmt;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Uri};

use crate::integrations::http::look_up::{length, look_up};

/// The head of a request, whatever its body is: what operations are named by.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
    wanted: Wanted<'a>,
}

/// What is looked for in the headers of every request.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    host: Option<&'a HeaderValue>,
    content_type: Option<&'a HeaderValue>,
    content_length: Option<&'a HeaderValue>,
}

impl<'a> RequestHead<'a> {
    pub(super) fn of<B>(request: &'a Request<B>) -> Self {
        let (headers, extensions) = (request.headers(), request.extensions());
        RequestHead::new(request.method(), request.uri(), headers, extensions)
    }

    /// Puts together the head of a request that is not `http`'s.
    pub fn new(
        method: &'a Method,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        extensions: &'a Extensions,
    ) -> Self {
        RequestHead {
            method,
            uri,
            headers,
            extensions,
            wanted: Wanted::of(headers),
        }
    }

    /// Returns what is to be done.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// Returns what it is to be done to.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// Returns the headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// Returns what others have said of the request, such as axum's `MatchedPath`.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The gRPC method that is called, `package.Service/Method`; none if it is not gRPC.
    ///
    /// It is what the client says: that there is such a method only the response can tell.
    pub(super) fn grpc_method(&self) -> Option<&'a str> {
        if !is_grpc(self.wanted.content_type?) || self.method != Method::POST {
            return None;
        }
        let name = self.uri.path().strip_prefix('/')?;
        let (service, method) = name.split_once('/')?;
        let is_one = !service.is_empty() && !method.is_empty() && !method.contains('/');
        is_one.then_some(name)
    }

    /// The header with the host's name.
    pub(super) fn host(&self) -> Option<&'a HeaderValue> {
        self.wanted.host
    }

    /// The size of the body, if the sender says it.
    pub(super) fn body_size(&self) -> Option<u64> {
        length(self.wanted.content_length?)
    }
}

/// Whether a body of this type is gRPC's.
pub(super) fn is_grpc(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    // `application/grpc-web` is another protocol, whose outcome stands in the body.
    matches!(rest, Some([] | [b'+' | b';' | b' ', ..]))
}

impl<'a> Wanted<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let names = [&HOST, &CONTENT_TYPE, &CONTENT_LENGTH];
        let [host, content_type, content_length] = look_up(headers, names);
        Wanted {
            host,
            content_type,
            content_length,
        }
    }
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("uri", self.uri)
            .finish_non_exhaustive()
    }
}
