//! The settings in force.

use std::time::Duration;

use crate::sync::statics::Mutex;
use crate::trace::FinishedSpan;

/// The settings in force, read where something is made and where somebody waits.
pub(crate) static SETTINGS: Mutex<Settings> = Mutex::new(Settings::DEFAULT);

/// What [`Config`](crate::Config) says of numbers and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    /// Room in each ring.
    pub(crate) ring_spans: usize,
    /// How long the drain sleeps when nobody calls it.
    pub(crate) drain_interval: Duration,
    /// Room in each reporter's queue.
    pub(crate) queue_spans: usize,
    /// How often a reporter is given the same spans.
    pub(crate) attempts: u32,
    /// How long it is left alone after it has failed; twice as long after each further time.
    pub(crate) backoff: Duration,
    /// How long a flush and a shutdown wait.
    pub(crate) patience: Duration,
}

impl Settings {
    pub(crate) const DEFAULT: Settings = Settings {
        ring_spans: spans_in(256 * 1024),
        drain_interval: Duration::from_secs(1),
        queue_spans: 16 * 1024,
        attempts: 4,
        backoff: Duration::from_millis(250),
        patience: Duration::from_secs(5),
    };

    /// Whether so many spans came in one go that more have come meanwhile: half a ring. Nothing is
    /// not much, however small the rings are.
    pub(crate) fn is_much(&self, spans: usize) -> bool {
        spans >= self.ring_spans.div_ceil(2)
    }
}

/// How many spans are in so many bytes, their bodies included; a power of two, as rings have it.
const fn spans_in(bytes: usize) -> usize {
    let spans = bytes / (FinishedSpan::SIZE + size_of::<FinishedSpan>());
    1 << spans.ilog2()
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_drain_rests_where_nothing_came() {
        for (ring_spans, much) in [(1, 1), (2, 1), (3, 2), (1024, 512)] {
            let settings = Settings {
                ring_spans,
                ..Settings::DEFAULT
            };
            let is_much = |spans| settings.is_much(spans);
            assert_eq!((is_much(much - 1), is_much(much)), (false, true));
            assert!(!is_much(0), "with rings for {ring_spans}");
        }
    }
}
