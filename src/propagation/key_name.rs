//! A key of which only the name is known, as it stands in a configuration.

use std::sync::OnceLock;

use crate::context::registry::{KeyId, KEYS};
use crate::context::Context;

/// A key of which only the name is known, as it stands in a configuration.
pub(super) struct KeyName {
    name: String,
    /// Not known before the key is used for the first time.
    id: OnceLock<KeyId>,
}

impl KeyName {
    pub(super) fn new(name: String) -> Self {
        KeyName {
            name,
            id: OnceLock::new(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.name
    }

    /// Whether the Context has a value under that name which is not to leave the process.
    pub(super) fn stays(&self, context: &Context) -> bool {
        let id = self.id.get().copied().or_else(|| self.find());
        id.is_some_and(|id| context.keeps(id))
    }

    #[cold]
    fn find(&self) -> Option<KeyId> {
        let id = KEYS.named(&self.name)?.id;
        Some(*self.id.get_or_init(|| id))
    }
}
