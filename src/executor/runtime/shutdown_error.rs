//! Telling the end of a runtime from other errors.

use std::error::Error;
use std::io;

/// What an operation of tokio's says whose runtime has gone; all it has in common with others.
const SHUTTING_DOWN: &str = "A Tokio 1.x context was found, but it is being shutdown.";

/// Returns whether an error says that the runtime was shut down which a socket, a file or another
/// resource belongs to.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// let error = io::Error::other("something else");
/// assert!(!kamon::runtime::is_rt_shutdown_err(&error));
/// ```
pub fn is_rt_shutdown_err(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Other
        && error.get_ref().is_some_and(|inner| {
            Error::source(inner).is_none() && inner.to_string() == SHUTTING_DOWN
        })
}
