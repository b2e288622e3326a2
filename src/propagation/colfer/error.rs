//! What is wrong with bytes that are no struct, and with a struct that cannot be written.

use std::error::Error;
use std::fmt;

/// What is wrong with bytes that are no struct, and with a struct that cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::propagation) enum ColferError {
    /// They end too early.
    Short,
    /// There is a header at this place which does not belong there.
    Header { at: usize },
    /// Something is larger than the format allows.
    Large,
}

impl fmt::Display for ColferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColferError::Short => f.write_str("the bytes end too early"),
            ColferError::Header { at } => write!(f, "unknown header at byte {at}"),
            ColferError::Large => f.write_str("more than the format allows"),
        }
    }
}

impl Error for ColferError {}
