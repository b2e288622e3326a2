//! The accounts: what became of every span that was recorded.

use crate::report::drain::DRAIN;
use crate::report::Dropped;

/// What became of the spans that were recorded since the process began.
///
/// `recorded == reported + waiting + dropped.total()`, exactly and at any moment, and so for each
/// reporter with `handed` in place of `recorded`. After [`flush`](crate::flush) nothing waits that
/// was recorded before.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReportStats {
    /// Finished spans of sampled traces.
    pub recorded: u64,
    /// Those that were handed to the reporters.
    pub reported: u64,
    /// Those that are still in the rings.
    pub waiting: u64,
    /// Those that no reporter was handed.
    pub dropped: Dropped,
    /// What became of those that were handed on, for each reporter. The embedded one is not among
    /// them: it has no queue and cannot fail.
    pub reporters: Vec<ReporterStats>,
    /// What became of the periods that metric reporters were handed.
    pub metric_reporters: Vec<MetricReporterStats>,
}

/// What became of the spans that one reporter was handed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReporterStats {
    /// Its name.
    pub name: String,
    /// Spans that were handed to it.
    pub handed: u64,
    /// Those that it has reported.
    pub reported: u64,
    /// Those in its queue, and those that it is at work on.
    pub waiting: u64,
    /// Those that it has not reported and will not.
    pub dropped: Dropped,
    /// How often it failed or panicked; what is tried again successfully is not dropped.
    pub failures: u64,
    /// What it said when it failed last.
    pub last_error: Option<String>,
}

/// What became of the periods that one metric reporter was handed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MetricReporterStats {
    /// Its name.
    pub name: String,
    /// Periods that it has reported.
    pub reported: u64,
    /// Periods that it has not reported and will not.
    pub dropped: u64,
    /// How often it failed or panicked.
    pub failures: u64,
    /// What it said when it failed last.
    pub last_error: Option<String>,
}

/// Returns the accounts.
///
/// # Examples
///
/// ```
/// kamon::build_span("find-users").start().finish();
///
/// let stats = kamon::report::stats();
/// assert_eq!(stats.recorded, stats.reported + stats.waiting + stats.dropped.total());
/// ```
pub fn stats() -> ReportStats {
    DRAIN.stats()
}
