//! A span as all Kamons since the first write it.

use crate::propagation::colfer::error::ColferError;
use crate::propagation::colfer::read::Fields;
use crate::propagation::colfer::write::Writer;

/// A span as it is written, whatever its ids are worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SpanFields<'a> {
    pub(super) trace_id: &'a [u8],
    pub(super) id: &'a [u8],
    pub(super) parent_id: &'a [u8],
    pub(super) sampling: u8,
}

impl<'a> SpanFields<'a> {
    /// Reads a span. What comes after it is not looked at.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, ColferError> {
        let mut at = 0;
        let mut fields = Fields::begin(bytes, &mut at)?;
        let span = SpanFields {
            trace_id: fields.binary(0)?,
            id: fields.binary(1)?,
            parent_id: fields.binary(2)?,
            sampling: fields.uint8(3)?,
        };
        fields.end()?;
        Ok(span)
    }

    /// Writes the span.
    pub(super) fn encode(&self) -> Result<Vec<u8>, ColferError> {
        let mut writer = Writer::default();
        writer.binary(0, self.trace_id)?;
        writer.binary(1, self.id)?;
        writer.binary(2, self.parent_id)?;
        writer.uint8(3, self.sampling);
        writer.end();
        Ok(writer.finish())
    }
}
