//! Reads the fields of a struct out of bytes, and allocates for nothing that is not there.

use std::borrow::Cow;

use crate::propagation::colfer::error::ColferError;

/// Ends a struct.
pub(super) const END: u8 = 0x7f;
/// In the header of an integer: it is negative.
pub(super) const NEGATIVE: u8 = 0x80;
/// How many bytes one text or one struct may have.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many elements one list may have.
pub(super) const MOST_ELEMENTS: usize = 64 * 1024;

/// Reads the fields of a struct: the header of the next one is read already.
pub(super) struct Fields<'a, 'b> {
    bytes: &'a [u8],
    at: &'b mut usize,
    begin: usize,
    header: u8,
}

impl<'a, 'b> Fields<'a, 'b> {
    /// Begins a struct.
    pub(super) fn begin(bytes: &'a [u8], at: &'b mut usize) -> Result<Self, ColferError> {
        let begin = *at;
        let mut fields = Fields {
            bytes,
            at,
            begin,
            header: END,
        };
        fields.header = fields.byte()?;
        Ok(fields)
    }

    /// Ends it.
    pub(super) fn end(self) -> Result<(), ColferError> {
        if self.header != END {
            return Err(ColferError::Header { at: *self.at - 1 });
        }
        if *self.at - self.begin > MOST_BYTES {
            return Err(ColferError::Large);
        }
        Ok(())
    }

    /// Reads bytes; none where the field is left out.
    pub(super) fn binary(&mut self, field: u8) -> Result<&'a [u8], ColferError> {
        if self.header != field {
            return Ok(&[]);
        }
        let size = self.size(MOST_BYTES)?;
        let binary = self.take(size)?;
        self.next()?;
        Ok(binary)
    }

    /// Reads a text. What is not UTF-8 is replaced, as on the JVM.
    pub(super) fn text(&mut self, field: u8) -> Result<Cow<'a, str>, ColferError> {
        self.binary(field).map(String::from_utf8_lossy)
    }

    /// Reads a byte; zero where the field is left out.
    pub(super) fn uint8(&mut self, field: u8) -> Result<u8, ColferError> {
        if self.header != field {
            return Ok(0);
        }
        let value = self.byte()?;
        self.next()?;
        Ok(value)
    }

    /// Reads a boolean, which is true if the field is there.
    pub(super) fn boolean(&mut self, field: u8) -> Result<bool, ColferError> {
        let is_there = self.header == field;
        if is_there {
            self.next()?;
        }
        Ok(is_there)
    }

    /// Reads an integer; zero where the field is left out.
    pub(super) fn int64(&mut self, field: u8) -> Result<i64, ColferError> {
        let negative = self.header == field | NEGATIVE;
        if self.header != field && !negative {
            return Ok(0);
        }
        let mut magnitude = 0_u64;
        for group in 0..9 {
            let byte = self.byte()?;
            // The ninth byte has eight bits and is the last, whatever its highest one says.
            if group == 8 {
                magnitude |= u64::from(byte) << 56;
                break;
            }
            magnitude |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                break;
            }
        }
        self.next()?;
        let value = magnitude as i64;
        Ok(if negative {
            value.wrapping_neg()
        } else {
            value
        })
    }

    /// Reads a struct; `None` where the field is left out.
    pub(super) fn structure<R>(
        &mut self,
        field: u8,
        read: impl FnOnce(&'a [u8], &mut usize) -> Result<R, ColferError>,
    ) -> Result<Option<R>, ColferError> {
        if self.header != field {
            return Ok(None);
        }
        let structure = read(self.bytes, self.at)?;
        self.next()?;
        Ok(Some(structure))
    }

    /// Reads a list of structs; an empty one where the field is left out.
    pub(super) fn list<R>(
        &mut self,
        field: u8,
        mut read: impl FnMut(&'a [u8], &mut usize) -> Result<R, ColferError>,
    ) -> Result<Vec<R>, ColferError> {
        // Never more room than for what was really there: an element has a byte at least.
        let mut list = Vec::new();
        if self.header == field {
            for _ in 0..self.size(MOST_ELEMENTS)? {
                list.push(read(self.bytes, self.at)?);
            }
            self.next()?;
        }
        Ok(list)
    }

    /// Reads a size or a count: a 32-bit number in at most five bytes.
    fn size(&mut self, most: usize) -> Result<usize, ColferError> {
        let mut size = 0_u32;
        for group in 0..5 {
            let byte = self.byte()?;
            // The fifth byte is the last, and what is beyond 32 bits falls out.
            let bits = if group == 4 { byte } else { byte & 0x7f };
            size |= u32::from(bits) << (7 * group);
            if byte & 0x80 == 0 {
                break;
            }
        }
        // More than half of the range is negative on the JVM, and so is refused there.
        match usize::try_from(size) {
            Ok(size) if size <= most => Ok(size),
            _ => Err(ColferError::Large),
        }
    }

    fn next(&mut self) -> Result<(), ColferError> {
        self.header = self.byte()?;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, ColferError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, size: usize) -> Result<&'a [u8], ColferError> {
        let rest = &self.bytes[*self.at..];
        let taken = rest.get(..size).ok_or(ColferError::Short)?;
        *self.at += size;
        Ok(taken)
    }
}
