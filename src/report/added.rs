//! Adding reporters, and taking them out again.

use std::fmt;

use crate::metrics::MetricReporter;
use crate::report::courier::is_courier;
use crate::report::drain::DRAIN;
use crate::report::kamon::deadline;
use crate::report::metric_desk::MetricDesk;
use crate::report::metric_desks::METRIC_DESKS;
use crate::report::outbox::Outbox;
use crate::report::{MetricReporterStats, ReporterStats, SpanReporter};
use crate::sync::Arc;

/// Adds a reporter, which is handed every span that is recorded from now on.
///
/// Its thread is started here. It works until it is [removed](AddedReporter::remove) or reporting
/// is [shut down](crate::shutdown).
///
/// # Examples
///
/// ```
/// use kamon::report::ConsoleReporter;
///
/// let console = kamon::add_span_reporter(ConsoleReporter::new());
/// kamon::build_span("find-users").start().finish();
/// kamon::flush();
///
/// assert_eq!(console.stats().dropped.total(), 0);
/// # console.remove();
/// ```
pub fn add_span_reporter(reporter: impl SpanReporter) -> AddedReporter {
    AddedReporter {
        outbox: DRAIN.add(Box::new(reporter)),
    }
}

/// A reporter that was added. Dropping this lets it work on.
#[derive(Clone)]
pub struct AddedReporter {
    outbox: Arc<Outbox>,
}

impl AddedReporter {
    /// Returns the name under which its losses are counted.
    pub fn name(&self) -> &str {
        self.outbox.name()
    }

    /// Returns what became of the spans that it was handed.
    pub fn stats(&self) -> ReporterStats {
        self.outbox.stats()
    }

    /// Hands it what was recorded before, and lets it end. Returns whether it did in time: within
    /// [`Config::patience`](crate::Config::patience). If not, what it still has is dropped and
    /// counted. Called by a reporter, it waits for none.
    pub fn remove(&self) -> bool {
        DRAIN.remove(&self.outbox);
        self.outbox.close();
        !is_courier() && self.outbox.await_end(deadline())
    }
}

/// Adds a metric reporter, which is handed what is recorded from now on, a period at a time.
///
/// Its thread is started here. A period that it fails to report comes again, as spans do, until it
/// has come as often as [`Config::attempts`](crate::Config::attempts) says; then it is dropped and
/// counted. Meanwhile ticks go by, and the next period is as much longer: nothing is lost by being
/// slow. A [`flush`](crate::flush) ends the present period early.
///
/// # Panics
///
/// If the reporter's interval is zero.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{MetricReporter, PeriodSnapshot};
/// use kamon::report::ReportError;
///
/// struct Count;
///
/// impl MetricReporter for Count {
///     fn name(&self) -> &str {
///         "count"
///     }
///
///     fn report(&mut self, period: &PeriodSnapshot) -> Result<(), ReportError> {
///         println!("{} instruments", period.instruments().len());
///         Ok(())
///     }
/// }
///
/// let count = kamon::add_metric_reporter(Count);
/// kamon::flush();
/// assert_eq!(count.stats().reported, 1);
/// # count.remove();
/// ```
pub fn add_metric_reporter(reporter: impl MetricReporter) -> AddedMetricReporter {
    AddedMetricReporter {
        desk: METRIC_DESKS.add(Box::new(reporter)),
    }
}

/// A metric reporter that was added. Dropping this lets it work on.
#[derive(Clone)]
pub struct AddedMetricReporter {
    desk: Arc<MetricDesk>,
}

impl AddedMetricReporter {
    /// Returns the name under which its losses are counted.
    pub fn name(&self) -> &str {
        self.desk.name()
    }

    /// Returns what became of the periods that it was handed.
    pub fn stats(&self) -> MetricReporterStats {
        self.desk.stats()
    }

    /// Hands it what was recorded before, and lets it end. Returns whether it did in time: within
    /// [`Config::patience`](crate::Config::patience).
    pub fn remove(&self) -> bool {
        METRIC_DESKS.remove(&self.desk);
        self.desk.close();
        !is_courier() && self.desk.await_end(deadline())
    }
}

impl fmt::Debug for AddedMetricReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedMetricReporter")
            .field("stats", &self.stats())
            .finish()
    }
}

impl fmt::Debug for AddedReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedReporter")
            .field("stats", &self.stats())
            .finish()
    }
}
