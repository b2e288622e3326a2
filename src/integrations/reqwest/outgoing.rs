//! reqwest's requests, as `ClientLayer` sees them.

use ::http::{Extensions, HeaderMap, Uri};
use ::reqwest::Request;

use crate::integrations::http::{Outgoing, RequestHead};

impl Outgoing for Request {
    const LIBRARY: &'static str = "reqwest";

    fn with_head<T>(&self, see: impl FnOnce(&RequestHead<'_>) -> T) -> T {
        // A URL that is none of HTTP's is refused by reqwest, as soon as the request is sent.
        let uri: Uri = self.url().as_str().parse().unwrap_or_default();
        see(&RequestHead::new(
            self.method(),
            &uri,
            self.headers(),
            &Extensions::new(),
        ))
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        Request::headers_mut(self)
    }
}
