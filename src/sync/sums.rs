//! A sum that threads add to without meeting.

use crossbeam_utils::CachePadded;

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::parts::Parts;
use crate::sync::seat::Seat;

/// A sum in parts. It only grows, modulo 2^64, and is never cleared: who wants to know what was
/// added since, subtracts what they saw last.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    parts: Parts<CachePadded<AtomicU64>>,
}

impl Sum {
    /// Adds to the part of a seat, which must be this thread's.
    #[inline]
    pub(crate) fn add(&self, seat: Seat, amount: u64) {
        seat.add(self.parts.of(seat), amount);
    }

    /// The sum of all that was added: everything that comes before this call, and of what goes on
    /// meanwhile each addition whole or not at all.
    pub(crate) fn read(&self) -> u64 {
        self.parts.made().fold(0, |sum, part| {
            sum.wrapping_add(part.load(Ordering::Relaxed))
        })
    }
}
