//! Writes the fields of a struct as bytes.

use crate::propagation::colfer::error::ColferError;
use crate::propagation::colfer::read::{END, MOST_BYTES, MOST_ELEMENTS, NEGATIVE};

/// Writes the fields of structs, in ascending order of their indices.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Ends a struct.
    pub(super) fn end(&mut self) {
        self.bytes.push(END);
    }

    /// Gives up what was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes bytes, or nothing if there are none.
    pub(super) fn binary(&mut self, field: u8, value: &[u8]) -> Result<(), ColferError> {
        if value.len() > MOST_BYTES {
            return Err(ColferError::Large);
        }
        if !value.is_empty() {
            self.bytes.push(field);
            self.varint(value.len() as u64);
            self.bytes.extend_from_slice(value);
        }
        Ok(())
    }

    /// Writes a text, or nothing if it is empty.
    pub(super) fn text(&mut self, field: u8, value: &str) -> Result<(), ColferError> {
        self.binary(field, value.as_bytes())
    }

    /// Writes a byte, or nothing if it is zero.
    pub(super) fn uint8(&mut self, field: u8, value: u8) {
        if value != 0 {
            self.bytes.extend([field, value]);
        }
    }

    /// Writes a boolean: nothing but a header, and not even that if it is false.
    pub(super) fn boolean(&mut self, field: u8, value: bool) {
        if value {
            self.bytes.push(field);
        }
    }

    /// Writes an integer, or nothing if it is zero.
    pub(super) fn int64(&mut self, field: u8, value: i64) {
        if value == 0 {
            return;
        }
        let sign = if value < 0 { NEGATIVE } else { 0 };
        self.bytes.push(field | sign);
        self.varint(value.unsigned_abs());
    }

    /// Writes the header of a struct.
    pub(super) fn structure(&mut self, field: u8) {
        self.bytes.push(field);
    }

    /// Writes a list of structs, or nothing if it is empty.
    pub(super) fn list<T>(
        &mut self,
        field: u8,
        elements: &[T],
        write: impl Fn(&mut Writer, &T) -> Result<(), ColferError>,
    ) -> Result<(), ColferError> {
        if elements.len() > MOST_ELEMENTS {
            return Err(ColferError::Large);
        }
        if elements.is_empty() {
            return Ok(());
        }
        self.bytes.push(field);
        self.varint(elements.len() as u64);
        elements.iter().try_for_each(|element| write(self, element))
    }

    fn varint(&mut self, mut value: u64) {
        for _ in 0..8 {
            if value < 0x80 {
                break;
            }
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}
