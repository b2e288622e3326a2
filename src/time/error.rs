//! Errors of this room.

use std::{error, fmt, io};

/// Says that a [`timeout`](crate::time::timeout) ran out before its future was done.
#[derive(Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl Elapsed {
    pub(super) fn new() -> Self {
        Elapsed(())
    }
}

/// Says that a timer cannot be had.
///
/// No function here returns it: it is for programs written for tokio that name it. kamon's timers
/// have no capacity to exceed, cap what is too far, and panic as tokio's do once their runtime is gone.
#[derive(Debug, Clone, Copy)]
pub struct Error(Reason);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Shutdown,
    AtCapacity,
    Invalid,
}

impl Error {
    /// Creates an error for timers that are shut down.
    pub fn shutdown() -> Error {
        Error(Reason::Shutdown)
    }

    /// Returns whether the timers are shut down.
    pub fn is_shutdown(&self) -> bool {
        self.0 == Reason::Shutdown
    }

    /// Creates an error for timers that can take no more.
    pub fn at_capacity() -> Error {
        Error(Reason::AtCapacity)
    }

    /// Returns whether the timers can take no more.
    pub fn is_at_capacity(&self) -> bool {
        self.0 == Reason::AtCapacity
    }

    /// Creates an error for a deadline that cannot be.
    pub fn invalid() -> Error {
        Error(Reason::Invalid)
    }

    /// Returns whether the deadline cannot be.
    pub fn is_invalid(&self) -> bool {
        self.0 == Reason::Invalid
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            Reason::Shutdown => "the timers are shut down",
            Reason::AtCapacity => "the timers can take no more",
            Reason::Invalid => "the deadline is out of reach",
        })
    }
}

impl error::Error for Error {}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("deadline has elapsed")
    }
}

impl error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(_: Elapsed) -> Self {
        io::ErrorKind::TimedOut.into()
    }
}
