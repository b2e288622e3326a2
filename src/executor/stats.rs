//! What a worker counts about itself.

use std::time::Duration;

use crate::sync::statics::{AtomicU64, Ordering};

/// One worker's counters. Only the worker writes them, so no write needs a lock prefix.
#[derive(Default)]
pub(crate) struct WorkerStats {
    pub(crate) polls: AtomicU64,
    pub(crate) steals: AtomicU64,
    pub(crate) parks: AtomicU64,
    /// Times it ran out of work, and times it found some again.
    pub(crate) rests: AtomicU64,
    pub(crate) unparks: AtomicU64,
    /// How many polls there were when a worker that watches noted them, before its nap.
    pub(crate) noted: AtomicU64,
    busy_nanos: AtomicU64,
}

impl WorkerStats {
    pub(crate) fn add_busy(&self, busy: Duration) {
        let total = self.busy_nanos.load(Ordering::Relaxed) + busy.as_nanos() as u64;
        self.busy_nanos.store(total, Ordering::Relaxed);
    }

    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_nanos.load(Ordering::Relaxed))
    }
}
