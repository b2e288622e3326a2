//! Why a task has no output.

use std::any::Any;
use std::fmt;
use std::io;

use crate::context::contain::Payload;
use crate::task::Id;

/// The reason a task ended without an output: it was cancelled, or it panicked.
///
/// # Examples
///
/// ```
/// kamon::block_on(async {
///     let error = kamon::spawn(async { panic!("boom") }).await.unwrap_err();
///     assert!(error.is_panic());
///     assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "boom");
/// });
/// ```
pub struct JoinError {
    id: Id,
    reason: Reason,
}

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> JoinError {
        JoinError {
            id,
            reason: Reason::Cancelled,
        }
    }

    pub(crate) fn panic(id: Id, payload: Payload) -> JoinError {
        JoinError {
            id,
            reason: Reason::Panic(Exclusive(payload)),
        }
    }

    /// Returns whether the task was cancelled: aborted, or dropped with its runtime.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.reason, Reason::Cancelled)
    }

    /// Returns whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.reason, Reason::Panic(_))
    }

    /// Consumes the error and returns what the task panicked with.
    ///
    /// # Panics
    ///
    /// If the task did not panic: see [`try_into_panic`](Self::try_into_panic).
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("`JoinError` reason is not a panic: {error:?}"),
        }
    }

    /// Consumes the error and returns what the task panicked with.
    ///
    /// # Errors
    ///
    /// The error itself, if the task did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.reason {
            Reason::Panic(payload) => Ok(payload.0),
            Reason::Cancelled => Err(self),
        }
    }

    /// Returns the id of the task that ended this way.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, self.panic_message()) {
            (Reason::Cancelled, _) => write!(f, "task {} was cancelled", self.id),
            (Reason::Panic(_), Some(message)) => {
                write!(f, "task {} panicked with message {message:?}", self.id)
            }
            (Reason::Panic(_), None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.reason, self.panic_message()) {
            (Reason::Cancelled, _) => write!(f, "JoinError::Cancelled({:?})", self.id),
            (Reason::Panic(_), Some(message)) => {
                write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.id)
            }
            (Reason::Panic(_), None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.reason {
            Reason::Cancelled => "task was cancelled",
            Reason::Panic(_) => "task panicked",
        })
    }
}

enum Reason {
    Cancelled,
    Panic(Exclusive),
}

/// A payload that may only be reached through ownership, which makes the error `Sync` although
/// payloads are only `Send`.
struct Exclusive(Payload);

// SAFETY: a shared `Exclusive` gives access to its payload in one place, `panic_message`, and only
// when the payload's type is `String` or `&'static str`, which are `Sync`.
unsafe impl Sync for Exclusive {}

impl JoinError {
    fn panic_message(&self) -> Option<&str> {
        let Reason::Panic(payload) = &self.reason else {
            return None;
        };
        // `<dyn Any>::downcast_ref` asks the vtable for a type id and touches the payload itself
        // only when it is one of these two.
        match payload.0.downcast_ref::<String>() {
            Some(text) => Some(text),
            None => payload.0.downcast_ref::<&'static str>().copied(),
        }
    }
}
