//! A span, from its start until it is reported.

use std::time::Duration;

use crate::sync::statics::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Living, UnsafeCell};
use crate::trace::clock::Tie;
use crate::trace::details::Details;
use crate::trace::place::{Hold, Watch};
use crate::trace::span_names::SpanNames;
use crate::trace::state::Flags;
use crate::trace::{
    Outcome, SamplingDecision, SpanId, SpanKind, SpanRecord, TagKey, Timestamp, TraceId, Work,
};

/// A span.
///
/// Who may touch what: the fields without a cell never change. `details` belongs to whoever has
/// [locked](crate::trace::state::State::lock) the state, and once the span is finished to whoever finished it, who
/// passes that right on with the [`FinishedSpan`](crate::trace::sink::FinishedSpan).
pub(crate) struct Body {
    pub(super) trace_id: TraceId,
    pub(super) id: SpanId,
    /// Zero if there is no parent.
    pub(super) parent_id: SpanId,
    pub(super) kind: SpanKind,
    pub(super) started: Timestamp,
    pub(super) names: SpanNames,
    /// The parent, if it is of this process: its name is asked for at the end.
    pub(super) parent: Option<Watch>,
    pub(super) details: UnsafeCell<Details>,
    /// What the executor did for the span, in nanoseconds and polls. Plain counters.
    pub(super) work: WorkCounts,
    pub(super) _living: Living,
}

/// See [`Work`].
#[derive(Default)]
pub(crate) struct WorkCounts {
    pub(super) cpu: AtomicU64,
    pub(super) queued: AtomicU64,
    pub(super) awaiting: AtomicU64,
    pub(super) polls: AtomicU32,
}

// SAFETY: what is in the cell is `Send`, and belongs to one at a time: see `Body`.
unsafe impl Send for Body {}
// SAFETY: as above.
unsafe impl Sync for Body {}

impl Hold {
    /// Whether the span is the first one of its trace in this process.
    #[inline]
    pub(super) fn is_local_root(&self) -> bool {
        self.parent_id.is_none() || self.flags().any(Flags::PARENT_IS_REMOTE)
    }

    /// Whether its trace is reported.
    pub(super) fn sampling_decision(&self) -> SamplingDecision {
        let flags = self.flags();
        if flags.any(Flags::UNDECIDED) {
            SamplingDecision::Unknown
        } else if flags.any(Flags::RECORDED) && !flags.any(Flags::PROVISIONAL) {
            SamplingDecision::Sample
        } else {
            SamplingDecision::DoNotSample
        }
    }

    /// The time from start to finish. Asked by whoever finished it.
    pub(super) fn duration(&self) -> Duration {
        // SAFETY: the span is finished and the right to its details came with it.
        let finished = self.details.with(|details| unsafe { (*details).finished });
        finished.duration_since(self.started)
    }

    /// The span as plain data. Asked by whoever finished it, once.
    pub(super) fn into_record(self) -> SpanRecord {
        let flags = self.flags();
        // SAFETY: the span is finished and the right to its details came with it.
        let details = self
            .details
            .with_mut(|details| unsafe { std::mem::take(&mut *details) });
        let tie = Tie::current();
        let mut record = SpanRecord::new(self.trace_id, self.id, self.name().clone());
        record.parent_id = self.parent_id();
        record.parent_is_remote = flags.any(Flags::PARENT_IS_REMOTE);
        record.kind = self.kind;
        record.started_at = tie.time_of(self.started);
        record.finished_at = tie.time_of(details.finished);
        record.failed = flags.any(Flags::FAILED);
        record.outcome = outcome(flags);
        record.sampling = self.sampling_decision();
        record.work = self.work();
        details.move_into(&mut record, &tie);
        record
    }
}

impl Body {
    /// A span of which no more is known: without identity, parent and tags.
    #[inline(always)]
    pub(super) fn new(name: TagKey, kind: SpanKind, started: Timestamp) -> Body {
        Body {
            trace_id: TraceId::NONE,
            id: SpanId::NONE,
            parent_id: SpanId::NONE,
            kind,
            started,
            names: SpanNames::new(name),
            parent: None,
            details: UnsafeCell::new(Details::default()),
            work: WorkCounts::default(),
            _living: Living::new("span"),
        }
    }

    #[inline]
    pub(super) fn parent_id(&self) -> Option<SpanId> {
        (!self.parent_id.is_none()).then_some(self.parent_id)
    }

    /// The name that it has now.
    #[inline]
    pub(super) fn name(&self) -> &TagKey {
        self.names.newest()
    }

    fn work(&self) -> Work {
        let nanos = |count: &AtomicU64| Duration::from_nanos(count.load(Ordering::Relaxed));
        Work {
            polls: self.work.polls.load(Ordering::Relaxed),
            cpu: nanos(&self.work.cpu),
            queued: nanos(&self.work.queued),
            awaiting: nanos(&self.work.awaiting),
        }
    }
}

fn outcome(flags: Flags) -> Outcome {
    if flags.any(Flags::PANICKED) {
        Outcome::Panicked
    } else if flags.any(Flags::CANCELLED) {
        Outcome::Cancelled
    } else if flags.any(Flags::UNFINISHED) {
        Outcome::Unfinished
    } else {
        Outcome::Finished
    }
}
