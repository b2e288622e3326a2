//! What the executor did for a span, counted.

use std::time::Duration;

use crate::sync::statics::{AtomicU32, AtomicU64, Ordering};
use crate::trace::Work;

/// How often the executor polled for a span, and whether the [`WorkCounts`] say anything.
#[derive(Default)]
pub(crate) struct Turns(AtomicU32);

/// How long the executor worked for a span, in nanoseconds. Plain counters; see [`Work`].
#[derive(Default)]
pub(crate) struct WorkCounts {
    cpu: AtomicU64,
    queued: AtomicU64,
    awaiting: AtomicU64,
}

/// There are times that are not zero.
const TIMES: u32 = 1 << 31;

impl Turns {
    /// Counts a poll.
    pub(super) fn poll(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that there are times.
    fn set_times(&self) {
        if self.0.load(Ordering::Relaxed) & TIMES == 0 {
            self.0.fetch_or(TIMES, Ordering::Relaxed);
        }
    }

    /// How many polls were counted.
    #[inline]
    pub(super) fn polls(&self) -> u32 {
        self.0.load(Ordering::Relaxed) & !TIMES
    }

    /// Counts from zero again. Nobody else may count.
    #[inline]
    pub(super) fn clear(&self, counts: &WorkCounts) {
        if self.0.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.0.store(0, Ordering::Relaxed);
        for count in [&counts.cpu, &counts.queued, &counts.awaiting] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// What was counted.
    pub(super) fn read(&self, counts: &WorkCounts) -> Work {
        let turns = self.0.load(Ordering::Relaxed);
        if turns == 0 {
            return Work::default();
        }
        let nanos = |count: &AtomicU64| Duration::from_nanos(count.load(Ordering::Relaxed));
        Work {
            polls: turns & !TIMES,
            cpu: nanos(&counts.cpu),
            queued: nanos(&counts.queued),
            awaiting: nanos(&counts.awaiting),
        }
    }
}

impl WorkCounts {
    pub(super) fn add_cpu(&self, turns: &Turns, nanos: u64) {
        turns.set_times();
        self.cpu.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(super) fn add_queued(&self, turns: &Turns, nanos: u64) {
        turns.set_times();
        self.queued.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(super) fn add_awaiting(&self, turns: &Turns, nanos: u64) {
        turns.set_times();
        self.awaiting.fetch_add(nanos, Ordering::Relaxed);
    }
}
