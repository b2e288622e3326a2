//! How far ahead a duration reaches at most.

use std::time::Duration;

/// Thirty years: longer than any process runs, and every platform's clock can show it.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The duration, or thirty years if that is shorter: it can be added to the present.
pub(super) fn capped(duration: Duration) -> Duration {
    duration.min(FAR)
}
