//! What sends spans out of the process.

use std::any::type_name;
use std::error::Error;

use crate::trace::SpanRecord;

/// Why a reporter could not do its work: any error, or a text.
pub type ReportError = Box<dyn Error + Send + Sync>;

/// Sends finished spans out of the process: to a file, a screen, another service.
///
/// Each reporter has a thread and a bounded queue of its own. It may take its time, block, fail and
/// panic: what it does not get done is dropped and counted under its name, and neither the
/// application nor the other reporters notice. It runs in a Context in which nothing is traced, and
/// so does whatever it spawns.
///
/// # Examples
///
/// ```
/// use kamon::report::{ReportError, SpanReporter};
/// use kamon::trace::SpanRecord;
///
/// struct Slow;
///
/// impl SpanReporter for Slow {
///     fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
///         for span in spans.iter().filter(|span| span.duration().as_secs() >= 1) {
///             println!("{} took {:?}", span.operation, span.duration());
///         }
///         Ok(())
///     }
/// }
///
/// let slow = kamon::add_span_reporter(Slow);
/// # slow.remove();
/// ```
pub trait SpanReporter: Send + 'static {
    /// Reports spans, in the order in which they were taken from the rings. The spans of a trace
    /// come when they have finished, in several calls.
    ///
    /// # Errors
    ///
    /// When it did not work. The same spans come again after a while, until they have come as often
    /// as [`Config::attempts`](crate::Config::attempts) says; then they are dropped. So it does
    /// with a reporter that panics.
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError>;

    /// Sends out what was held back. Called for each [`flush`](crate::flush), after the spans that
    /// were recorded before it.
    ///
    /// # Errors
    ///
    /// When it did not work, which is counted as a failure and has no other consequence.
    fn flush(&mut self) -> Result<(), ReportError> {
        Ok(())
    }

    /// Ends the work. Called once, last, at the [`shutdown`](crate::shutdown) or after the reporter
    /// was removed.
    fn stop(&mut self) {}

    /// Returns the name under which its losses are counted: the type's, unless it says otherwise.
    fn name(&self) -> &str {
        let whole = type_name::<Self>();
        let bare = whole.split('<').next().unwrap_or(whole);
        bare.rsplit("::").next().unwrap_or(bare)
    }
}
