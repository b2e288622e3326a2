//! What this process is called.

use crate::sync::statics::Mutex;

static NAME: Mutex<Option<String>> = Mutex::new(None);

/// Returns what this process is called among those that report to the same place, if its
/// [configuration](crate::Config::service_name) says.
///
/// # Examples
///
/// ```
/// kamon::init(kamon::Config::new().service_name("users"))?;
/// assert_eq!(kamon::report::service_name().as_deref(), Some("users"));
/// # Ok::<(), kamon::ConfigError>(())
/// ```
pub fn service_name() -> Option<String> {
    NAME.lock().clone()
}

pub(super) fn set_service_name(name: String) {
    *NAME.lock() = Some(name);
}
