//! Where finished spans go: the trait that the room above implements, and what it is handed.

use std::fmt;
use std::time::Duration;

use crate::trace::clock::Tie;
use crate::trace::place::Hold;
use crate::trace::state::Flags;
use crate::trace::{SpanRecord, TraceId};

/// Takes finished spans of sampled traces, on the thread that finished them.
///
/// Must neither block nor panic. A span that it has no room for it drops, and counts.
pub(crate) trait Sink: Sync {
    /// Takes a span.
    fn accept(&self, span: FinishedSpan);

    /// Calls [`expire`](crate::trace::expire) once in a while from now on: something is held.
    /// Returns whether it does; once nobody reports any more, nobody does.
    fn attend(&self) -> bool;
}

/// A finished span in the memory in which it lived: one word, so that a ring carries words and a
/// span costs one allocation in all.
///
/// Nobody writes to it any more; handles that are left may read its identity and name. Dropping it
/// frees the memory, unless such a handle does that later.
#[repr(transparent)]
pub(crate) struct FinishedSpan(Hold);

impl FinishedSpan {
    /// How much memory one keeps besides its tags, marks and links.
    pub(crate) const SIZE: usize = Hold::SIZE;

    /// Takes over a finished span, and with it the right to take its data out.
    pub(super) fn new(span: Hold) -> Self {
        FinishedSpan(span)
    }

    /// The trace that it belongs to.
    #[inline]
    pub(crate) fn trace_id(&self) -> TraceId {
        self.0.trace_id()
    }

    /// Whether its trace's first span in this process is this one.
    #[inline]
    pub(crate) fn is_local_root(&self) -> bool {
        self.0.is_local_root()
    }

    /// Whether an error was added to it.
    #[inline]
    pub(crate) fn is_failed(&self) -> bool {
        self.0.flags().any(Flags::FAILED)
    }

    /// The time from its start to its finish.
    pub(crate) fn duration(&self) -> Duration {
        self.0.duration()
    }

    /// Has the processor fetch what [`into_record`](Self::into_record) looks at first.
    #[inline]
    pub(crate) fn fetch(&self) {
        self.0.fetch();
    }

    /// Has the processor fetch what was said of the span, some time later.
    #[inline]
    pub(crate) fn fetch_said(&self) {
        self.0.fetch_said();
    }

    /// The span as plain data, its times tied to the time of day.
    pub(crate) fn into_record(self, tie: &Tie, older: &mut Vec<SpanRecord>) -> SpanRecord {
        self.0.into_record(tie, older)
    }
}

impl fmt::Debug for FinishedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishedSpan")
            .field("trace_id", &self.trace_id())
            .finish_non_exhaustive()
    }
}
