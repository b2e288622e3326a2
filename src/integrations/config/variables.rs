//! The environment variables of our own, and where variables come from.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::integrations::config::draft::Draft;
use crate::integrations::config::given::Given;
use crate::integrations::config::settings::SETTINGS;
use crate::report::ConfigError;

/// Where variables come from.
pub(super) enum Variables {
    /// This process's.
    Process,
    /// Others in their place.
    Given(BTreeMap<String, OsString>),
}

impl Variables {
    /// A variable's value. One that is empty is as if it were not set.
    pub(super) fn get(&self, name: &str) -> Option<OsString> {
        let value = match self {
            Variables::Process => std::env::var_os(name),
            Variables::Given(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }
}

/// Sets what the variables of our own say. Those that begin like ours and are not in the table are
/// left alone: a cluster makes up `KAMON_PORT` and the like for a service of this name.
pub(super) fn read(draft: &mut Draft, variables: &Variables) -> Result<(), ConfigError> {
    for setting in SETTINGS {
        let Some(value) = variables.get(setting.variable) else {
            continue;
        };
        let set = match value.to_str() {
            Some(text) => (setting.set)(draft, &Given::loose(text)),
            None => Err(Given::loose(&value.to_string_lossy()).is_no("UTF-8")),
        };
        set.map_err(|problem| ConfigError::Variable {
            variable: setting.variable.to_owned(),
            problem: problem.what,
        })?;
    }
    Ok(())
}
