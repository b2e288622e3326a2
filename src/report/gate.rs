//! What a span must pass before it goes into a ring: one word, zero nearly always.

use crate::report::doomed::{Ages, Doomed};
use crate::report::DropReason;
use crate::sync::statics::{AtomicU32, Ordering};
use crate::trace::TraceId;

/// Reporting was shut down.
const CLOSED: u32 = 1;
/// Some traces have lost a span.
const DOOMED: u32 = 2;

/// What a span must pass before it goes into a ring.
#[derive(Debug)]
pub(crate) struct Gate {
    bars: AtomicU32,
    doomed: Doomed,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Gate {
            bars: AtomicU32::new(0),
            doomed: Doomed::new(),
        }
    }

    /// Why a span of this trace is not let in, if it is not.
    #[inline]
    pub(crate) fn refuses(&self, trace: impl FnOnce() -> TraceId) -> Option<DropReason> {
        match self.bars.load(Ordering::Relaxed) {
            0 => None,
            bars => self.refuses_slowly(bars, trace()),
        }
    }

    #[cold]
    fn refuses_slowly(&self, bars: u32, trace: TraceId) -> Option<DropReason> {
        if bars & CLOSED != 0 {
            return Some(DropReason::Closed);
        }
        self.condemns(|| trace)
    }

    /// Why a span of this trace, having passed, is not handed on, if it is not.
    pub(crate) fn condemns(&self, trace: impl FnOnce() -> TraceId) -> Option<DropReason> {
        let doomed = self.bars.load(Ordering::Relaxed) & DOOMED != 0;
        (doomed && self.doomed.contains(trace())).then_some(DropReason::TraceIncomplete)
    }

    /// A span of this trace was lost.
    #[cold]
    pub(crate) fn doom(&self, trace: TraceId) {
        self.doomed.add(trace);
        // Those who drop do it often, and at the same time.
        if self.bars.load(Ordering::Relaxed) & DOOMED == 0 {
            self.bars.fetch_or(DOOMED, Ordering::Relaxed);
        }
    }

    /// Forgets the traces that were doomed a while ago.
    pub(crate) fn forgive(&self, ages: &mut Ages, now: std::time::Instant) {
        if self.bars.load(Ordering::Relaxed) & DOOMED == 0 {
            return;
        }
        if self.doomed.forget(ages, now) {
            // A trace that is doomed at this very moment may pass the gate until the next is.
            self.bars.fetch_and(!DOOMED, Ordering::Relaxed);
        }
    }

    pub(crate) fn close(&self) {
        self.bars.fetch_or(CLOSED, Ordering::Relaxed);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.bars.load(Ordering::Relaxed) & CLOSED != 0
    }

    pub(crate) fn open(&self) {
        self.bars.fetch_and(!CLOSED, Ordering::Relaxed);
    }
}
