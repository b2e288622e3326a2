//! Counts of values by bucket, which threads add to without meeting.

use std::ptr;

use crate::metrics::buckets::{Bucket, OCTAVE, OCTAVES};
use crate::metrics::distribution::Distribution;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::parts::{Lazy, Parts};
use crate::sync::seat::Seat;

/// How often values of each bucket were recorded. As a [`Sum`](super::sums::Sum), it only grows.
///
/// A recording is one addition to one number, so there is no instant at which half of it is seen.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    parts: Parts<Part>,
}

/// What the threads of one seat recorded.
#[derive(Debug, Default)]
struct Part {
    octaves: Lazy<Octave, OCTAVES>,
    beyond: AtomicU64,
}

impl Part {
    #[inline]
    fn record(&self, seat: Seat, value: u64, times: u64) {
        match Bucket::of(value) {
            Some(bucket) => {
                let octave = self.octaves.at(bucket.octave());
                seat.add(&octave.0[bucket.place()], times);
            }
            None => seat.add(&self.beyond, times),
        }
    }
}

/// The part of one seat of some [`Counts`]. Parts stay as long as the whole.
pub(crate) struct Mine {
    seat: Seat,
    part: *const Part,
}

impl Mine {
    #[inline]
    pub(crate) fn seat(&self) -> Seat {
        self.seat
    }

    /// Counts a value.
    ///
    /// # Safety
    ///
    /// The [`Counts`] must still be there. The seat must be this thread's.
    #[inline]
    pub(crate) unsafe fn record(&self, value: u64) {
        // SAFETY: as the caller promises.
        unsafe { &*self.part }.record(self.seat, value, 1);
    }
}

#[derive(Debug)]
struct Octave([AtomicU64; OCTAVE]);

impl Default for Octave {
    fn default() -> Self {
        Octave(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// What one reader has seen of some [`Counts`].
#[derive(Debug)]
pub(crate) struct SeenCounts {
    octaves: [Option<Box<[u64; OCTAVE]>>; OCTAVES],
    beyond: u64,
}

impl Default for SeenCounts {
    fn default() -> Self {
        SeenCounts {
            octaves: [const { None }; OCTAVES],
            beyond: 0,
        }
    }
}

impl Counts {
    /// Counts a value `times` times in the part of a seat, which must be this thread's.
    #[inline]
    pub(crate) fn record(&self, seat: Seat, value: u64, times: u64) {
        self.parts.of(seat).record(seat, value, times);
    }

    /// The part of a seat, for whoever keeps the [`Counts`] as long.
    pub(crate) fn mine(&self, seat: Seat) -> Mine {
        let part = ptr::from_ref(self.parts.of(seat));
        Mine { seat, part }
    }

    /// What was recorded since the reader last looked.
    pub(crate) fn read(&self, seen: &mut SeenCounts) -> Distribution {
        let mut since = Distribution::default();
        let made: Vec<&Part> = self.parts.made().collect();
        for octave in 0..OCTAVES {
            let parts = made.iter();
            let mut parts = parts.filter_map(|part| part.octaves.get(octave)).peekable();
            if parts.peek().is_none() {
                continue;
            }
            let mut sums = [0_u64; OCTAVE];
            for part in parts {
                for (sum, count) in sums.iter_mut().zip(&part.0) {
                    *sum = sum.wrapping_add(count.load(Ordering::Relaxed));
                }
            }
            let seen = seen.octaves[octave].get_or_insert_with(|| Box::new([0; OCTAVE]));
            for (place, (sum, seen)) in sums.iter().zip(seen.iter_mut()).enumerate() {
                let before = std::mem::replace(seen, *sum);
                since.push(Bucket::at(octave, place), sum.wrapping_sub(before));
            }
        }
        let beyond = made.iter().fold(0_u64, |sum, part| {
            sum.wrapping_add(part.beyond.load(Ordering::Relaxed))
        });
        since.add_beyond(beyond.wrapping_sub(std::mem::replace(&mut seen.beyond, beyond)));
        since
    }
}
