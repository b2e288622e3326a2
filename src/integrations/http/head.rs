//! The head of a request: what an operation may be named by.

use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri};

/// The head of a request, whatever its body is: what operations are named by.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
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
    pub(super) fn grpc_method(&self) -> Option<&'a str> {
        let content = self.headers.get(http::header::CONTENT_TYPE)?;
        let rest = content.as_bytes().strip_prefix(b"application/grpc")?;
        // `application/grpc-web` is another protocol, whose outcome stands in the body.
        match rest {
            [] | [b'+' | b';' | b' ', ..] => self.uri.path().strip_prefix('/'),
            _ => None,
        }
    }

    /// The size of the body, if the sender says it.
    pub(super) fn body_size(&self) -> Option<u64> {
        length(self.headers)
    }
}

/// The size of a body, if its headers say it.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(http::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", self.method)
            .field("uri", self.uri)
            .finish_non_exhaustive()
    }
}
