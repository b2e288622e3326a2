//! A Context as Kamon 2 writes it: tags, and entries by name.

use std::borrow::Cow;

use crate::propagation::colfer::error::ColferError;
use crate::propagation::colfer::read::Fields;
use crate::propagation::colfer::tags::Tags;
use crate::propagation::colfer::write::Writer;

/// A Context as Kamon 2 writes it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::propagation) struct Message<'a> {
    pub(super) tags: Option<Tags<'a>>,
    pub(in crate::propagation) entries: Vec<(Cow<'a, str>, &'a [u8])>,
}

impl<'a> Message<'a> {
    /// A Context without tags.
    pub(in crate::propagation) fn of_entries(
        entries: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        Message {
            tags: None,
            entries: entries.map(|(key, value)| (key.into(), value)).collect(),
        }
    }

    /// Reads a Context. What comes after it is not looked at.
    pub(in crate::propagation) fn decode(bytes: &'a [u8]) -> Result<Self, ColferError> {
        let mut at = 0;
        let mut fields = Fields::begin(bytes, &mut at)?;
        let tags = fields.structure(0, Tags::read)?;
        let entries = fields.list(1, |bytes, at| {
            let mut fields = Fields::begin(bytes, at)?;
            let entry = (fields.text(0)?, fields.binary(1)?);
            fields.end().map(|()| entry)
        })?;
        fields.end()?;
        Ok(Message { tags, entries })
    }

    /// Writes the Context.
    pub(in crate::propagation) fn encode(&self) -> Result<Vec<u8>, ColferError> {
        let mut writer = Writer::default();
        if let Some(tags) = &self.tags {
            writer.structure(0);
            tags.write(&mut writer)?;
        }
        writer.list(1, &self.entries, |writer, (key, value)| {
            writer.text(0, key)?;
            writer.binary(1, value)?;
            writer.end();
            Ok(())
        })?;
        writer.end();
        Ok(writer.finish())
    }
}
