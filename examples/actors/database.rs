//! A database that takes its time.

use std::time::Duration;

use crate::lines::say;

/// A row of the table `users`.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) projects: usize,
}

/// Looks the user up.
#[kamon::span("select-user", kind = "client")]
pub(crate) async fn select(name: String) -> Row {
    say(format!("selects {name}"));
    kamon::time::sleep(Duration::from_millis(2)).await;
    Row {
        projects: name.len(),
        name,
    }
}
