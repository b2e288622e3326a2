//! A span, from its start until it is reported.

use std::ptr::NonNull;
use std::time::Duration;

use crate::sync::{Living, UnsafeCell};
use crate::trace::clock::Tie;
use crate::trace::details::Details;
use crate::trace::memory::fetch;
use crate::trace::place::{Hold, Place, Watch};
use crate::trace::state::Flags;
use crate::trace::{
    Outcome, SamplingDecision, SpanId, SpanKind, SpanRecord, TagKey, Timestamp, TraceId,
};

/// A span: what every one has. What most have none of is in the [`Rest`](crate::trace::place::Rest).
///
/// Who may touch what: the fields without a cell never change. `finished` belongs to whoever
/// finished the span, who passes that right on with the
/// [`FinishedSpan`](crate::trace::sink::FinishedSpan).
pub(crate) struct Body {
    /// The halves of the trace's id, the lower one first. As one number it would be aligned to 16
    /// bytes, and the span be a line longer.
    trace_id: [u64; 2],
    pub(super) id: SpanId,
    /// Zero if there is no parent.
    pub(super) parent_id: SpanId,
    pub(super) started: Timestamp,
    /// Nothing before it is finished.
    pub(super) finished: UnsafeCell<Timestamp>,
    /// What it was called when it was made.
    pub(super) first_name: TagKey,
    /// The parent, if it is of this process: its name is asked for at the end. A [`Watch`] in its
    /// parts, so that its padding is of use.
    parent_name: &'static str,
    parent: Option<NonNull<Place>>,
    parent_generation: u32,
    pub(super) kind: SpanKind,
    pub(super) _living: Living,
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
        self.finished_at().duration_since(self.started)
    }

    fn finished_at(&self) -> Timestamp {
        // SAFETY: the span is finished and the right to ask came with it.
        self.finished.with(|finished| unsafe { *finished })
    }

    /// The span as plain data. Asked by whoever finished it, once.
    pub(super) fn into_record(self, tie: &Tie, older: &mut Vec<SpanRecord>) -> SpanRecord {
        let flags = self.flags();
        let (turns, counts) = self.work();
        // Made in one go, where it is returned: a record is large.
        let mut record = SpanRecord {
            trace_id: self.trace_id(),
            id: self.id,
            parent_id: self.parent_id(),
            parent_is_remote: flags.any(Flags::PARENT_IS_REMOTE),
            operation: self.name().clone(),
            kind: self.kind,
            started_at: tie.time_of(self.started),
            finished_at: tie.time_of(self.finished_at()),
            tags: Vec::new(),
            metric_tags: Vec::new(),
            marks: Vec::new(),
            links: Vec::new(),
            failed: flags.any(Flags::FAILED),
            outcome: outcome(flags),
            sampling: self.sampling_decision(),
            left_out: 0,
            work: turns.read(counts),
        };
        if flags.any(Flags::SAID) {
            // SAFETY: the span is finished and the right to its details came with it.
            let details = |details: *mut Details| unsafe {
                (*details).move_into(&mut record, tie, take_said(older));
            };
            self.details().with_mut(details);
        }
        if record.failed || record.outcome != Outcome::Finished {
            record.tag_outcome();
        }
        record
    }
}

impl Body {
    /// A span of which no more is known: without identity, parent and tags.
    #[inline(always)]
    pub(super) fn new(name: TagKey, kind: SpanKind, started: Timestamp) -> Body {
        Body {
            trace_id: [0; 2],
            id: SpanId::NONE,
            parent_id: SpanId::NONE,
            started,
            finished: UnsafeCell::new(Timestamp::ZERO),
            first_name: name,
            parent_name: "",
            parent: None,
            parent_generation: 0,
            kind,
            _living: Living::new("span"),
        }
    }

    /// The same with an identity.
    #[inline(always)]
    pub(super) fn of(self, trace: TraceId, id: SpanId, parent_id: SpanId) -> Body {
        let bits = trace.get();
        Body {
            trace_id: [bits as u64, (bits >> u64::BITS) as u64],
            id,
            parent_id,
            ..self
        }
    }

    /// The same below a span of this process.
    #[inline(always)]
    pub(super) fn below(self, parent: Option<Watch>) -> Body {
        let Some(parent) = parent else {
            return self;
        };
        Body {
            parent_name: parent.name,
            parent: Some(parent.place),
            parent_generation: parent.generation,
            ..self
        }
    }

    #[inline(always)]
    pub(super) fn trace_id(&self) -> TraceId {
        let [low, high] = self.trace_id;
        TraceId::new(u128::from(high) << u64::BITS | u128::from(low))
    }

    #[inline]
    pub(super) fn parent_id(&self) -> Option<SpanId> {
        (!self.parent_id.is_none()).then_some(self.parent_id)
    }

    /// The parent, if it is of this process.
    #[inline]
    pub(super) fn parent(&self) -> Option<Watch> {
        self.parent.map(|place| Watch {
            name: self.parent_name,
            place,
            generation: self.parent_generation,
        })
    }
}

/// Takes the next record of which something is said.
fn take_said(older: &mut Vec<SpanRecord>) -> Option<SpanRecord> {
    while let Some(record) = older.pop() {
        // They have been kept for long: the next ones are fetched meanwhile.
        if let Some(far) = older.len().checked_sub(4).and_then(|at| older.get(at)) {
            fetch(far, size_of::<SpanRecord>());
        }
        if let Some(near) = older.len().checked_sub(2).and_then(|at| older.get(at)) {
            fetch(near.tags.as_ptr(), 128);
            fetch(near.metric_tags.as_ptr(), 192);
        }
        if record.tags.capacity() != 0 || record.metric_tags.capacity() != 0 {
            return Some(record);
        }
    }
    None
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
