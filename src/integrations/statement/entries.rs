//! Log entries, counted by their level.

use crate::metrics::{counter, Counter};

/// Kamon's name for them.
const LOG_EVENTS: &str = "log.events";

/// By what the logging libraries call them, the gravest first.
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// The counters of one logging library's entries.
#[derive(Debug)]
pub(crate) struct Entries {
    by_level: [Counter; LEVELS.len()],
}

impl Entries {
    /// Those of a library.
    pub(crate) fn of(component: &'static str) -> Self {
        let counter = counter(LOG_EVENTS)
            .with_description("log entries by level")
            .with_tag("component", component);
        Entries {
            by_level: LEVELS.map(|level| counter.with_tag("level", level)),
        }
    }

    /// Counts an entry. The gravest level is 0.
    pub(crate) fn count(&self, level: usize) {
        self.by_level[level.min(LEVELS.len() - 1)].increment();
    }
}
