//! The reporter that everybody has: the last spans of this process.

use std::sync::OnceLock;

use crate::report::batch::Batch;
use crate::report::drain::DRAIN;
use crate::report::RingReporter;
use crate::trace::SpanRecord;

/// How many spans the embedded reporter keeps where nobody says otherwise.
pub(crate) const RECENT_SPANS: usize = 4096;

/// The embedded reporter. The drain hands it spans without a queue and a thread in between: it is
/// ours, and neither blocks nor fails.
pub(crate) static EMBEDDED: Embedded = Embedded(OnceLock::new());

pub(crate) struct Embedded(OnceLock<RingReporter>);

impl Embedded {
    pub(crate) fn ring(&self) -> &RingReporter {
        self.0.get_or_init(|| RingReporter::new(RECENT_SPANS))
    }

    /// As [`RingReporter::keep`].
    pub(crate) fn keep(&self, batch: &Batch) -> (bool, Vec<Batch>) {
        self.ring().keep(batch)
    }
}

/// Returns the reporter that every process has without configuration: the last 4096 spans, unless
/// [`Config::recent_spans`](crate::Config::recent_spans) says otherwise.
///
/// It holds what has been taken from the rings, which happens about once a second and at every
/// [`flush`](crate::flush).
///
/// # Examples
///
/// ```
/// kamon::build_span("find-users").start().finish();
/// kamon::flush();
///
/// for span in kamon::report::embedded().slowest(3) {
///     println!("{:?} {}", span.duration(), span.operation);
/// }
/// ```
pub fn embedded() -> RingReporter {
    EMBEDDED.ring().clone()
}

/// Returns the last finished spans of this process, in the order in which they finished: everything
/// that was recorded before the call, as far as the [embedded reporter](embedded) has room for it.
///
/// # Examples
///
/// ```
/// let span = kamon::build_span("find-users").start();
/// span.finish();
///
/// let spans = kamon::recent_spans();
/// assert!(spans.iter().any(|record| record.id == span.id()));
/// ```
pub fn recent_spans() -> Vec<SpanRecord> {
    DRAIN.pass();
    EMBEDDED.ring().recent()
}
