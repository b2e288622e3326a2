//! Asking a reporter to do its work: panics are contained, failures are followed by another attempt.

use std::time::Duration;

use crate::context::contain::{self, discard, Payload};
use crate::report::settings::Settings;
use crate::report::{DropReason, ReportError};

/// The longest rest between two attempts. Nobody waits for a reporter for longer, and a time that far
/// from now is one that every clock knows.
pub(crate) const LONGEST_REST: Duration = Duration::from_secs(86_400);

/// Why a call did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: DropReason,
    pub(crate) message: String,
}

/// Runs what is the user's: the work, and the error that comes of it.
pub(crate) fn contain(work: impl FnOnce() -> Result<(), ReportError>) -> Result<(), Failure> {
    let outcome = contain::contain(|| work().map_err(|error| error.to_string()));
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
    let mut pause = settings.backoff.min(LONGEST_REST);
    for _ in 1..settings.attempts {
        if call().is_ok() {
            return Ok(());
        }
        rest(pause);
        pause = pause.saturating_mul(2).min(LONGEST_REST);
    }
    call()
}

fn message_of(payload: Payload) -> String {
    let text = match payload.downcast_ref::<&str>() {
        Some(text) => Some((*text).to_owned()),
        None => payload.downcast_ref::<String>().cloned(),
    };
    discard(payload);
    format!("panicked: {}", text.as_deref().unwrap_or("without a text"))
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::time::Instant;

    fn rests(attempts: u32, backoff: Duration) -> Vec<Duration> {
        let settings = Settings {
            attempts,
            backoff,
            ..Settings::DEFAULT
        };
        let rests = RefCell::new(Vec::new());
        let call = || contain(|| Err("not now".into()));
        let last = persist(settings, call, |pause| rests.borrow_mut().push(pause));
        assert_eq!(
            last.map_err(|failure| failure.message),
            Err("not now".into())
        );
        rests.into_inner()
    }

    #[test]
    fn rests_are_longer_and_longer_up_to_a_day() {
        let seconds = Duration::from_secs;
        assert_eq!(rests(4, seconds(3)), [3, 6, 12].map(seconds));
        let all = rests(100, seconds(30_000));
        assert_eq!(all[..3], [30_000, 60_000, 86_400].map(seconds));
        assert_eq!((all.len(), all[98]), (99, LONGEST_REST));
        assert_eq!(rests(2, Duration::MAX), [LONGEST_REST]);
        assert!(Instant::now().checked_add(LONGEST_REST).is_some());
    }
}
