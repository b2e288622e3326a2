//! Why a span was not reported, and how many were not.

use std::fmt;

use crate::sync::statics::{AtomicU64, Ordering};

/// Why a span was not reported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum DropReason {
    /// Its thread's ring had no room left.
    RingFull,
    /// Another span of its trace was dropped: a trace is kept or lost as a whole, as far as that
    /// is known in time.
    TraceIncomplete,
    /// There was no reporter, the embedded one included.
    NoReporter,
    /// It was finished after the shutdown.
    Closed,
    /// The reporter's queue had no room left.
    QueueFull,
    /// The reporter failed each time it was asked.
    Failed,
    /// The reporter panicked when it was asked for the last time.
    Panicked,
    /// The reporter was not done in time at the shutdown.
    Shutdown,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [DropReason; 8] = [
        DropReason::RingFull,
        DropReason::TraceIncomplete,
        DropReason::NoReporter,
        DropReason::Closed,
        DropReason::QueueFull,
        DropReason::Failed,
        DropReason::Panicked,
        DropReason::Shutdown,
    ];

    /// Returns the reason in words, as it stands in the tag `reason` of `kamon.spans.dropped`.
    pub const fn as_str(self) -> &'static str {
        match self {
            DropReason::RingFull => "ring-full",
            DropReason::TraceIncomplete => "trace-incomplete",
            DropReason::NoReporter => "no-reporter",
            DropReason::Closed => "closed",
            DropReason::QueueFull => "queue-full",
            DropReason::Failed => "failed",
            DropReason::Panicked => "panicked",
            DropReason::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many spans were dropped, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped([u64; DropReason::ALL.len()]);

impl Dropped {
    pub(crate) const NONE: Dropped = Dropped([0; DropReason::ALL.len()]);

    /// Returns how many were dropped for `reason`.
    pub fn because(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// Returns how many were dropped for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Iterates over the reasons for which any were dropped.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL
            .into_iter()
            .map(|reason| (reason, self.because(reason)))
            .filter(|(_, number)| *number > 0)
    }

    pub(crate) fn add(&mut self, reason: DropReason, number: u64) {
        self.0[reason as usize] += number;
    }

    pub(crate) fn add_all(&mut self, other: &Dropped) {
        for (reason, number) in other.iter() {
            self.add(reason, number);
        }
    }
}

impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(reason, number)| (reason.as_str(), number)),
            )
            .finish()
    }
}

/// What [`Dropped`] is counted in, where others read while one thread counts.
#[derive(Debug, Default)]
pub(crate) struct Losses([AtomicU64; DropReason::ALL.len()]);

impl Losses {
    /// Counts one; to be called by one thread at a time.
    pub(crate) fn count(&self, reason: DropReason) {
        let counter = &self.0[reason as usize];
        // Ordering: one thread writes, and changes hands with the ring beside it.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Counts one; any thread.
    pub(crate) fn count_shared(&self, reason: DropReason) {
        self.0[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Dropped {
        let mut dropped = Dropped::default();
        for reason in DropReason::ALL {
            dropped.add(reason, self.0[reason as usize].load(Ordering::Relaxed));
        }
        dropped
    }
}
