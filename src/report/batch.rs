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

impl Deref for Batch {
    type Target = [SpanRecord];

    fn deref(&self) -> &[SpanRecord] {
        &self.0
    }
}
