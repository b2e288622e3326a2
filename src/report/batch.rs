//! Spans on their way to the reporters, shared by all of them.

use std::ops::Deref;

use crate::sync::Arc;
use crate::trace::SpanRecord;

/// How many spans a batch has at most.
pub(crate) const LARGEST: usize = 512;

/// Some spans, which every reporter looks at and none owns.
#[derive(Clone, Debug)]
pub(crate) struct Batch(Arc<Vec<SpanRecord>>);

impl From<Vec<SpanRecord>> for Batch {
    fn from(spans: Vec<SpanRecord>) -> Self {
        Batch(Arc::new(spans))
    }
}

impl Batch {
    /// The spans, if nobody else looks at them any more.
    pub(crate) fn into_spans(self) -> Option<Vec<SpanRecord>> {
        Arc::into_inner(self.0)
    }
}

impl Deref for Batch {
    type Target = [SpanRecord];

    fn deref(&self) -> &[SpanRecord] {
        &self.0
    }
}
