//! What a `ClientLayer` is told.

use crate::integrations::http::naming::Naming;
use crate::integrations::http::TagMode;
use crate::trace::TagKey;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) component: TagKey,
    pub(super) library: TagKey,
    pub(super) naming: Naming,
    pub(super) url: TagMode,
    pub(super) method: TagMode,
    pub(super) status: TagMode,
}

impl Default for Settings {
    /// As Kamon's HTTP toolkits have it.
    fn default() -> Self {
        Settings {
            component: "http.client".into(),
            library: "hyper".into(),
            naming: Naming::default(),
            url: TagMode::Span,
            method: TagMode::Metric,
            status: TagMode::Metric,
        }
    }
}
