//! The number of Contexts alive, counted without an atomic read-modify-write where it can be helped.
//!
//! A thread claims a shard of its own and is then its only writer, so that a plain load and store
//! do. When all shards are taken, or the thread is past the destructors of its thread-locals, one
//! shared counter takes over.

use std::cell::Cell;

use crossbeam_utils::CachePadded;

use crate::sync::statics::{AtomicU32, AtomicUsize, Ordering};

const SHARDS: usize = u32::BITS as usize;
const UNDECIDED: usize = usize::MAX;
const SHARED: usize = SHARDS;

/// Births minus deaths, modulo the word: one thread may free what another made.
static COUNTS: [CachePadded<AtomicUsize>; SHARDS + 1] =
    [const { CachePadded::new(AtomicUsize::new(0)) }; SHARDS + 1];

/// A bit for each shard that a thread owns.
static CLAIMED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static CLAIM: Claim = const { Claim(Cell::new(UNDECIDED)) };
}

struct Claim(Cell<usize>);

/// The number of non-empty Contexts alive in the process, exact whenever none is being made.
pub(crate) fn alive() -> usize {
    COUNTS.iter().fold(0, |sum, count| {
        sum.wrapping_add(count.load(Ordering::Relaxed))
    })
}

#[inline]
pub(crate) fn born() {
    add(1);
}

#[inline]
pub(crate) fn died() {
    add(usize::MAX);
}

#[inline]
fn add(step: usize) {
    let shard = CLAIM.try_with(Claim::shard).unwrap_or(SHARED);
    let count = &COUNTS[shard];
    if shard == SHARED {
        count.fetch_add(step, Ordering::Relaxed);
    } else {
        // Ordering: this thread is the only writer; see `Claim` for how a shard changes hands.
        count.store(
            count.load(Ordering::Relaxed).wrapping_add(step),
            Ordering::Relaxed,
        );
    }
}

impl Claim {
    #[inline]
    fn shard(&self) -> usize {
        match self.0.get() {
            UNDECIDED => self.decide(),
            shard => shard,
        }
    }

    #[cold]
    fn decide(&self) -> usize {
        // Ordering: Acquire pairs with the Release in `drop`, so that the last owner's stores to
        // the shard come before ours.
        let claimed = CLAIMED.fetch_update(Ordering::Acquire, Ordering::Relaxed, |claimed| {
            (claimed != u32::MAX).then(|| claimed | (claimed + 1))
        });
        let shard = match claimed {
            Ok(before) => before.trailing_ones() as usize,
            Err(_) => SHARED,
        };
        self.0.set(shard);
        shard
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let shard = self.0.replace(SHARED);
        if shard < SHARDS {
            // Ordering: Release pairs with the Acquire in `decide`.
            CLAIMED.fetch_and(!(1 << shard), Ordering::Release);
        }
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_shards_lose_no_count() {
        // Other tests of the process make and drop Contexts too, so this one looks at a balance
        // far above theirs.
        let before = alive();
        let barrier = std::sync::Barrier::new(SHARDS + 8);
        std::thread::scope(|scope| {
            for _ in 0..SHARDS + 8 {
                scope.spawn(|| {
                    born();
                    barrier.wait();
                    (0..100_000).for_each(|_| born());
                });
            }
        });
        let made = (SHARDS + 8) * 100_001;
        let counted = alive().wrapping_sub(before);
        assert!(counted.abs_diff(made) < 50_000, "{counted} of {made}");
        std::thread::spawn(move || (0..made).for_each(|_| died()))
            .join()
            .unwrap();
    }
}
