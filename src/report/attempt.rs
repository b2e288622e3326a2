//! Asking a reporter to do its work: panics are contained, failures are followed by another attempt.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::Duration;

use crate::report::settings::Settings;
use crate::report::{DropReason, ReportError};

/// Why a call did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: DropReason,
    pub(crate) message: String,
}

/// Runs what is the user's: the work, and the error that comes of it.
pub(crate) fn contain(work: impl FnOnce() -> Result<(), ReportError>) -> Result<(), Failure> {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        work().map_err(|error| error.to_string())
    }));
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) => Err(Failure {
            reason: DropReason::Failed,
            message,
        }),
        Err(payload) => Err(Failure {
            reason: DropReason::Panicked,
            message: message_of(payload),
        }),
    }
}

/// Calls until it works, as often as the settings say, with longer and longer rests in between.
///
/// # Errors
///
/// What the last call returned.
pub(crate) fn persist(
    settings: Settings,
    mut call: impl FnMut() -> Result<(), Failure>,
    rest: impl Fn(Duration),
) -> Result<(), Failure> {
    let mut pause = settings.backoff;
    for _ in 1..settings.attempts {
        if call().is_ok() {
            return Ok(());
        }
        rest(pause);
        pause = pause.saturating_mul(2);
    }
    call()
}

fn message_of(payload: Box<dyn Any + Send>) -> String {
    let text = match payload.downcast_ref::<&str>() {
        Some(text) => Some((*text).to_owned()),
        None => payload.downcast_ref::<String>().cloned(),
    };
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Its destructor may panic too, and so on.
        std::mem::forget(another);
    }
    format!("panicked: {}", text.as_deref().unwrap_or("without a text"))
}
