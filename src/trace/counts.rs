//! What happened to spans that should not, and what samplers decided, counted.

use std::sync::LazyLock;

use crate::metrics::{counter, Counter};
use crate::sync::statics::{AtomicU64, Ordering};
use crate::trace::SamplingDecision;

/// How often something happened to spans since the process began: what [`stats`] returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct TraceStats {
    /// Something was said of a span that was finished, and ignored.
    pub written_too_late: u64,
    /// A span was finished once more, and not the first time counted.
    pub finished_twice: u64,
    /// A span's last handle went and nobody had finished it.
    pub unfinished: u64,
    /// A span of a trace that was not sampled could not be held until it was known whether to keep
    /// the trace, or was held when reporting was shut down.
    pub tail_dropped: u64,
}

/// Returns how often something happened to spans since the process began; the counters
/// `kamon.spans.*` say the same.
///
/// # Examples
///
/// ```
/// let span = kamon::build_span("find-users").start();
/// span.finish();
/// let before = kamon::trace::stats();
/// span.tag("rows", 12);
/// assert!(kamon::trace::stats().written_too_late > before.written_too_late);
/// ```
pub fn stats() -> TraceStats {
    TraceStats {
        written_too_late: WRITTEN_TOO_LATE.read(),
        finished_twice: FINISHED_TWICE.read(),
        unfinished: UNFINISHED.read(),
        tail_dropped: TAIL_DROPPED.read(),
    }
}

/// A number that is also an instrument.
struct Count {
    number: AtomicU64,
    counter: LazyLock<Counter>,
}

impl Count {
    const fn new(counter: fn() -> Counter) -> Self {
        Count {
            number: AtomicU64::new(0),
            counter: LazyLock::new(counter),
        }
    }

    fn add(&self, times: u64) {
        self.number.fetch_add(times, Ordering::Relaxed);
        // An instrument would outlive the execution of a model.
        if cfg!(not(kamon_loom)) {
            self.counter.increment_by(times);
        }
    }

    fn read(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }
}

static WRITTEN_TOO_LATE: Count = Count::new(|| counter("kamon.spans.written-too-late"));
static FINISHED_TWICE: Count = Count::new(|| counter("kamon.spans.finished-twice"));
static UNFINISHED: Count = Count::new(|| counter("kamon.spans.unfinished"));
static TAIL_DROPPED: Count = Count::new(|| counter("kamon.spans.tail-dropped"));

#[cold]
pub(super) fn written_too_late() {
    WRITTEN_TOO_LATE.add(1);
}

#[cold]
pub(super) fn finished_twice() {
    FINISHED_TWICE.add(1);
}

#[cold]
pub(super) fn unfinished() {
    UNFINISHED.add(1);
}

pub(super) fn tail_dropped(spans: usize) {
    if spans > 0 {
        TAIL_DROPPED.add(spans as u64);
    }
}

/// The counters of one sampler's decisions.
pub(super) struct Decisions {
    sampled: Counter,
    not_sampled: Counter,
}

impl Decisions {
    pub(super) fn of(sampler: &'static str) -> Self {
        let all = counter("kamon.trace.sampler.decisions")
            .with_description("what samplers decided about traces that begin here")
            .with_tag("sampler", sampler);
        let counter = |decision: SamplingDecision| all.with_tag("decision", decision.as_str());
        Decisions {
            sampled: counter(SamplingDecision::Sample),
            not_sampled: counter(SamplingDecision::DoNotSample),
        }
    }

    #[inline]
    pub(super) fn count(&self, decision: SamplingDecision) {
        match decision {
            SamplingDecision::Sample => self.sampled.increment(),
            _ => self.not_sampled.increment(),
        }
    }
}
