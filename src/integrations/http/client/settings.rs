//! What a `ClientLayer` is told.

use crate::integrations::http::said::Said;
use crate::trace::TagKey;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) component: TagKey,
    /// Otherwise the request knows.
    pub(super) library: Option<TagKey>,
    pub(super) said: Said,
}

impl Default for Settings {
    /// As Kamon's HTTP toolkits have it.
    fn default() -> Self {
        Settings {
            component: "http.client".into(),
            library: None,
            said: Said::default(),
        }
    }
}
