//! The reporter that keeps the last spans in memory.

use std::cmp::Reverse;
use std::fmt;

use crate::report::batch::Batch;
use crate::report::shelf::{Look, Shelf};
use crate::report::{ReportError, SpanReporter};
use crate::sync::statics::Mutex;
use crate::sync::Arc;
use crate::trace::{SpanRecord, TraceId};

/// Keeps the last spans in memory, and the slowest and the failed ones a little longer.
///
/// Clones look at the same spans. Reading stops neither those who record nor those who report.
///
/// One is [embedded](crate::report::embedded) and needs no configuration; another one can be
/// [added](crate::add_span_reporter) like any reporter.
///
/// # Examples
///
/// ```
/// use kamon::report::RingReporter;
///
/// let ring = RingReporter::new(100);
/// let added = kamon::add_span_reporter(ring.clone());
/// let span = kamon::build_span("find-users").start();
/// span.finish();
///
/// kamon::flush();
/// assert_eq!(ring.trace(span.trace_id()).len(), 1);
/// # added.remove();
/// ```
#[derive(Clone)]
pub struct RingReporter {
    shelf: Arc<Mutex<Shelf>>,
}

impl RingReporter {
    /// Returns a reporter that keeps the last `capacity` spans, a sixteenth as many of the slowest
    /// before them and a sixteenth as many of the failed, these until eight times `capacity` spans
    /// have come.
    pub fn new(capacity: usize) -> Self {
        RingReporter {
            shelf: Arc::new(Mutex::new(Shelf::new(capacity))),
        }
    }

    /// Returns the last spans, in the order in which they finished.
    pub fn recent(&self) -> Vec<SpanRecord> {
        by_end(self.look().recent().cloned().collect())
    }

    /// Returns the spans of a trace, in the order in which they finished: those that are recent,
    /// and those that were kept longer.
    pub fn trace(&self, trace_id: TraceId) -> Vec<SpanRecord> {
        self.all(|span| span.trace_id == trace_id)
    }

    /// Returns the spans of an operation, in the order in which they finished.
    pub fn operation(&self, name: &str) -> Vec<SpanRecord> {
        self.all(|span| span.operation == name)
    }

    /// Returns the spans that failed, in the order in which they finished.
    pub fn failed(&self) -> Vec<SpanRecord> {
        self.all(|span| span.failed)
    }

    /// Returns the slowest `number` of the spans, the slowest first.
    pub fn slowest(&self, number: usize) -> Vec<SpanRecord> {
        let look = self.look();
        let mut spans: Vec<&SpanRecord> = look.recent().chain(look.older()).collect();
        spans.sort_by_key(|span| Reverse(span.duration()));
        spans.truncate(number);
        spans.into_iter().cloned().collect()
    }

    /// Forgets all spans.
    pub fn clear(&self) {
        self.shelf.lock().clear();
    }

    /// Keeps the spans of a batch. Returns whether it keeps any at all, and the batches
    /// that it kept until now.
    pub(crate) fn keep(&self, batch: &Batch) -> (bool, Vec<Batch>) {
        let mut shelf = self.shelf.lock();
        let gone = shelf.put(batch);
        (shelf.capacity() > 0, gone)
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        self.shelf.lock().set_capacity(capacity);
    }

    fn look(&self) -> Look {
        self.shelf.lock().look()
    }

    fn all(&self, wanted: impl Fn(&SpanRecord) -> bool) -> Vec<SpanRecord> {
        let look = self.look();
        let spans = look.older().chain(look.recent());
        by_end(spans.filter(|span| wanted(span)).cloned().collect())
    }
}

impl SpanReporter for RingReporter {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        self.keep(&Batch::from(spans.to_vec()));
        Ok(())
    }

    fn name(&self) -> &str {
        "ring"
    }
}

impl fmt::Debug for RingReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingReporter")
            .field("capacity", &self.shelf.lock().capacity())
            .finish_non_exhaustive()
    }
}

fn by_end(mut spans: Vec<SpanRecord>) -> Vec<SpanRecord> {
    spans.sort_by_key(|span| span.finished_at);
    spans
}
