//! Who sends metrics out.

use std::error::Error;
use std::time::Duration;

use crate::metrics::filter::Filter;
use crate::metrics::snapshot::PeriodSnapshot;

/// Sends metrics out of the process: a subscription as a trait.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{Filter, MetricReporter, PeriodSnapshot};
/// use std::error::Error;
///
/// struct Console;
///
/// impl MetricReporter for Console {
///     fn name(&self) -> &str {
///         "console"
///     }
///
///     fn filter(&self) -> Filter {
///         Filter::name("span.*")
///     }
///
///     fn report(&mut self, period: &PeriodSnapshot) -> Result<(), Box<dyn Error + Send + Sync>> {
///         for instrument in period.instruments() {
///             println!("{}{} {:?}", instrument.name(), instrument.tags(), instrument.value());
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait MetricReporter: Send + 'static {
    /// Returns the name under which its failures are counted.
    fn name(&self) -> &str;

    /// Returns which instruments it wants: all, unless it says otherwise.
    fn filter(&self) -> Filter {
        Filter::all()
    }

    /// Returns how long a period is: a minute, unless it says otherwise.
    fn interval(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Takes the values of one period. It may block.
    ///
    /// # Errors
    ///
    /// If the values could not be sent. Whether they are handed over again is said where the
    /// reporter is added.
    fn report(&mut self, period: &PeriodSnapshot) -> Result<(), Box<dyn Error + Send + Sync>>;
}
