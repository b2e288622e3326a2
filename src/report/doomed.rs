//! The traces that have lost a span, so that they lose the others too.

use std::time::{Duration, Instant};

use crate::sync::statics::{AtomicU64, Ordering};
use crate::trace::TraceId;

/// How many traces are remembered. Another one takes the place of one of them.
const PLACES: usize = 256;

/// How long a trace is remembered: longer than most traces last, and no longer, because one may last
/// as long as the process.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// The traces that have lost a span.
///
/// It is a hint: a trace that is forgotten is incomplete in the reports, and every span is counted
/// all the same. So nothing here is ordered.
#[derive(Debug)]
pub(crate) struct Doomed {
    /// What the ids are [cut down to](key); zero is nothing.
    places: [AtomicU64; PLACES],
}

/// Since when each place has held what it holds. The drain's.
#[derive(Debug)]
pub(crate) struct Ages(Vec<(u64, Instant)>);

impl Doomed {
    pub(crate) const fn new() -> Self {
        Doomed {
            places: [const { AtomicU64::new(0) }; PLACES],
        }
    }

    /// Remembers that the trace is incomplete.
    #[cold]
    pub(crate) fn add(&self, trace: TraceId) {
        let key = key(trace);
        self.place(key).store(key, Ordering::Relaxed);
    }

    pub(crate) fn contains(&self, trace: TraceId) -> bool {
        let key = key(trace);
        self.place(key).load(Ordering::Relaxed) == key
    }

    /// Forgets what has been remembered for long enough. Returns whether nothing is left.
    pub(crate) fn forget(&self, ages: &mut Ages, now: Instant) -> bool {
        ages.0.resize(PLACES, (0, now));
        let mut empty = true;
        for (place, (known, since)) in self.places.iter().zip(&mut ages.0) {
            let key = place.load(Ordering::Relaxed);
            if key != *known {
                (*known, *since) = (key, now);
            }
            if key == 0 {
                continue;
            }
            if now.saturating_duration_since(*since) < REMEMBERED_FOR {
                empty = false;
                continue;
            }
            // If it fails, another trace has taken the place.
            let forgotten = place.compare_exchange(key, 0, Ordering::Relaxed, Ordering::Relaxed);
            empty &= forgotten.is_ok();
            *known = 0;
        }
        empty
    }

    fn place(&self, key: u64) -> &AtomicU64 {
        // The lowest bit is always set.
        &self.places[(key >> 1) as usize % PLACES]
    }
}

impl Ages {
    pub(crate) const fn new() -> Self {
        Ages(Vec::new())
    }
}

/// Two traces with the same key, one of them incomplete, are one trace to this table: of 2^62 pairs
/// one.
fn key(trace: TraceId) -> u64 {
    let bits = trace.get();
    (bits as u64) ^ ((bits >> 64) as u64) | 1
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_remembered_and_forgotten_after_a_while() {
        let doomed = Doomed::new();
        let mut ages = Ages::new();
        let (lost, kept) = (TraceId::new(7), TraceId::new(7 << 64 | 8));
        let now = Instant::now();
        assert!(doomed.forget(&mut ages, now));

        doomed.add(lost);
        assert!(doomed.contains(lost) && !doomed.contains(kept));
        assert!(!doomed.forget(&mut ages, now));
        let nearly = now + REMEMBERED_FOR - Duration::from_millis(1);
        assert!(!doomed.forget(&mut ages, nearly) && doomed.contains(lost));
        assert!(doomed.forget(&mut ages, now + REMEMBERED_FOR));
        assert!(!doomed.contains(lost));

        // Doomed again, it is remembered as long again.
        doomed.add(lost);
        assert!(!doomed.forget(&mut ages, now + REMEMBERED_FOR));
    }
}
