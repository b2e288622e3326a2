//! The tags of a Kamon 2 Context: read past, so that what comes after them is found.

use std::borrow::Cow;

use crate::propagation::colfer::error::ColferError;
use crate::propagation::colfer::read::Fields;
use crate::propagation::colfer::write::Writer;

/// The tags of a Kamon 2 Context, by type.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::propagation) struct Tags<'a> {
    pub(super) strings: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) longs: Vec<(Cow<'a, str>, i64)>,
    pub(super) booleans: Vec<(Cow<'a, str>, bool)>,
}

impl<'a> Tags<'a> {
    pub(super) fn read(bytes: &'a [u8], at: &mut usize) -> Result<Self, ColferError> {
        let mut fields = Fields::begin(bytes, at)?;
        let strings = fields.list(0, |bytes, at| {
            let mut fields = Fields::begin(bytes, at)?;
            let tag = (fields.text(0)?, fields.text(1)?);
            fields.end().map(|()| tag)
        })?;
        let longs = fields.list(1, |bytes, at| {
            let mut fields = Fields::begin(bytes, at)?;
            let tag = (fields.text(0)?, fields.int64(1)?);
            fields.end().map(|()| tag)
        })?;
        let booleans = fields.list(2, |bytes, at| {
            let mut fields = Fields::begin(bytes, at)?;
            let tag = (fields.text(0)?, fields.boolean(1)?);
            fields.end().map(|()| tag)
        })?;
        fields.end()?;
        Ok(Tags {
            strings,
            longs,
            booleans,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), ColferError> {
        writer.list(0, &self.strings, |writer, (key, value)| {
            writer.text(0, key)?;
            writer.text(1, value)?;
            writer.end();
            Ok(())
        })?;
        writer.list(1, &self.longs, |writer, (key, value)| {
            writer.text(0, key)?;
            writer.int64(1, *value);
            writer.end();
            Ok(())
        })?;
        writer.list(2, &self.booleans, |writer, (key, value)| {
            writer.text(0, key)?;
            writer.boolean(1, *value);
            writer.end();
            Ok(())
        })?;
        writer.end();
        Ok(())
    }
}
