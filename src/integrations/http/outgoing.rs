//! Requests that go out: `http`'s, and those of clients that have a type of their own.

use http::{HeaderMap, Request};

use crate::integrations::http::RequestHead;

/// A request that goes out, as [`ClientLayer`](crate::http::ClientLayer) sees it.
///
/// Implemented by [`http::Request`], and by reqwest's with the feature `reqwest`.
pub trait Outgoing {
    /// The client it is of, unless the layer was told which.
    const LIBRARY: &'static str;

    /// Calls `see` with the head.
    fn with_head<T>(&self, see: impl FnOnce(&RequestHead<'_>) -> T) -> T;

    /// Returns the headers, for the Context to be written to.
    fn headers_mut(&mut self) -> &mut HeaderMap;
}

impl<B> Outgoing for Request<B> {
    const LIBRARY: &'static str = "hyper";

    fn with_head<T>(&self, see: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        see(&RequestHead::of(self))
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        Request::headers_mut(self)
    }
}
