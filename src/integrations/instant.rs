//! The runtime's instants in spans: this room is the lowest that knows of both.

use crate::time::Instant;
use crate::trace::Timestamp;

impl From<Instant> for Timestamp {
    /// Returns the same time on the spans' clock. That one goes on while the runtime's is paused.
    fn from(instant: Instant) -> Self {
        instant.into_std().into()
    }
}
