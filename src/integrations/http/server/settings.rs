//! What a `ServerLayer` is told.

use http::HeaderName;

use crate::integrations::http::place::Place;
use crate::integrations::http::said::Said;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) place: Place,
    pub(super) said: Said,
    pub(super) trace_id: Option<HeaderName>,
    pub(super) span_id: Option<HeaderName>,
    pub(super) trace_token: Option<HeaderName>,
}

impl Default for Settings {
    /// As Kamon's HTTP toolkits have it.
    fn default() -> Self {
        Settings {
            place: Place::of(None),
            said: Said::default(),
            trace_id: Some(HeaderName::from_static("trace-id")),
            span_id: None,
            trace_token: Some(HeaderName::from_static("x-trace-token")),
        }
    }
}
