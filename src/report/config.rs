//! How this process reports, said in code.

use std::fmt;
use std::time::Duration;

use crate::metrics::MetricReporter;
use crate::report::embedded::RECENT_SPANS;
use crate::report::settings::Settings;
use crate::report::{ConfigError, SpanReporter};
use crate::trace;

/// How this process traces and reports: what [`init`](crate::init) is given.
///
/// Everything has a default, and everything works without a configuration.
///
/// # Examples
///
/// ```
/// use kamon::trace::{RandomSampler, Settings};
/// use kamon::Config;
///
/// let config = Config::new()
///     .tracing(Settings::new().sampler(RandomSampler::new(0.1)))
///     .recent_spans(10_000);
/// let kamon = kamon::init(config)?;
/// # kamon::init(Config::new().tracing(Settings::new()))?;
/// # drop(kamon);
/// # Ok::<(), kamon::ConfigError>(())
/// ```
#[must_use = "a configuration counts once it is given to `kamon::init`"]
pub struct Config {
    pub(crate) settings: Settings,
    pub(crate) recent_spans: usize,
    pub(crate) tracing: Option<trace::Settings>,
    pub(crate) reporters: Vec<Box<dyn SpanReporter>>,
    pub(crate) metric_reporters: Vec<Box<dyn MetricReporter>>,
    pub(crate) service_name: Option<String>,
    pub(crate) silent: bool,
    pub(crate) warnings: Vec<String>,
    /// What rooms that this one does not see put in force, by their names.
    pub(crate) others: Vec<(&'static str, Apply)>,
}

/// Puts a part of a configuration in force.
pub(crate) type Apply = Box<dyn FnOnce() + Send>;

impl Config {
    /// Returns the defaults.
    pub fn new() -> Self {
        Config {
            settings: Settings::DEFAULT,
            recent_spans: RECENT_SPANS,
            tracing: None,
            reporters: Vec::new(),
            metric_reporters: Vec::new(),
            service_name: None,
            silent: false,
            warnings: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Sets how spans are made: which are sampled, how long ids are.
    pub fn tracing(mut self, settings: trace::Settings) -> Self {
        self.tracing = Some(settings);
        self
    }

    /// Changes how spans are made, and leaves what the closure does not mention as it was said
    /// before.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::trace::{IdScheme, Settings};
    ///
    /// let config = kamon::Config::new()
    ///     .tracing(Settings::new().ignore_operations(["GET /health"]))
    ///     .adjust_tracing(|settings| settings.ids(IdScheme::Single));
    /// assert!(format!("{config:?}").contains("Single"));
    /// ```
    pub fn adjust_tracing(
        mut self,
        change: impl FnOnce(trace::Settings) -> trace::Settings,
    ) -> Self {
        self.tracing = Some(change(self.tracing.unwrap_or_default()));
        self
    }

    /// Says what this process is called: [`service_name`](crate::report::service_name).
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Has nothing reported: the reporters of this configuration are not started, the embedded one
    /// keeps nothing, and traces that begin here are not sampled. Those of others pass through with
    /// the decision that they came with, and metrics are measured for whoever subscribes.
    pub fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Returns what was ignored when this configuration was read: what the environment says and
    /// nobody here knows. [`init`](crate::init) writes it to the standard error.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Has something else put in force with this, in place of what has that name.
    pub(crate) fn also(
        mut self,
        name: &'static str,
        apply: impl FnOnce() + Send + 'static,
    ) -> Self {
        self.others.retain(|(known, _)| *known != name);
        self.others.push((name, Box::new(apply)));
        self
    }

    /// Adds a reporter, as [`add_span_reporter`](crate::add_span_reporter) does.
    pub fn span_reporter(mut self, reporter: impl SpanReporter) -> Self {
        self.reporters.push(Box::new(reporter));
        self
    }

    /// Adds a reporter, as [`add_metric_reporter`](crate::add_metric_reporter) does.
    pub fn metric_reporter(mut self, reporter: impl MetricReporter) -> Self {
        self.metric_reporters.push(Box::new(reporter));
        self
    }

    /// Sets how many of the last spans the embedded reporter keeps; none turns it off. 4096 by
    /// default.
    pub fn recent_spans(mut self, number: usize) -> Self {
        self.recent_spans = number;
        self
    }

    /// Sets how many finished spans a thread's ring has room for, rounded up to a power of two. By
    /// default as many as fit into 256 KiB with all that they carry but tags, marks and links. For
    /// rings that are made later: a thread gets one, new or left by another, when it records for
    /// the first time.
    pub fn ring_spans(mut self, number: usize) -> Self {
        self.settings.ring_spans = number;
        self
    }

    /// Sets how long finished spans stay in a ring that is not half full. A second by default.
    pub fn drain_interval(mut self, interval: Duration) -> Self {
        self.settings.drain_interval = interval;
        self
    }

    /// Sets how many spans may wait for a reporter; a batch of up to 512 may in any case. 16 384 by
    /// default. For reporters that are added later, as are the next two.
    pub fn queue_spans(mut self, number: usize) -> Self {
        self.settings.queue_spans = number;
        self
    }

    /// Sets how often a reporter that fails is given the same spans. Four times by default.
    pub fn attempts(mut self, number: u32) -> Self {
        self.settings.attempts = number;
        self
    }

    /// Sets how long a reporter is left alone when it has failed, and twice as long each further
    /// time with the same spans, up to a day. A quarter of a second by default. Nobody is left alone
    /// when somebody waits for a flush.
    pub fn backoff(mut self, pause: Duration) -> Self {
        self.settings.backoff = pause;
        self
    }

    /// Sets how long [`flush`](crate::flush) and [`shutdown`](crate::shutdown) wait at most. Five
    /// seconds by default.
    pub fn patience(mut self, longest: Duration) -> Self {
        self.settings.patience = longest;
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let Settings {
            ring_spans,
            drain_interval,
            queue_spans,
            attempts,
            ..
        } = self.settings;
        let numbers = [
            ("ring_spans", ring_spans, 1, LARGEST_RING),
            ("queue_spans", queue_spans, 1, usize::MAX),
            ("attempts", attempts as usize, 1, usize::MAX),
            ("recent_spans", self.recent_spans, 0, usize::MAX / 2),
        ];
        for (setting, value, least, most) in numbers {
            if value < least {
                return Err(ConfigError::TooSmall { setting });
            }
            if value > most {
                return Err(ConfigError::TooLarge { setting });
            }
        }
        if drain_interval.is_zero() {
            return Err(ConfigError::TooSmall {
                setting: "drain_interval",
            });
        }
        let mut metric_reporters = self.metric_reporters.iter();
        match metric_reporters.find(|reporter| reporter.interval().is_zero()) {
            Some(reporter) => Err(ConfigError::NoInterval {
                reporter: reporter.name().to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// The most spans that a ring has room for: its memory is taken for each thread.
const LARGEST_RING: usize = 1 << 20;

impl Default for Config {
    fn default() -> Self {
        Config::new()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reporters: Vec<_> = self.reporters.iter().map(|it| it.name()).collect();
        let metric_reporters: Vec<_> = self.metric_reporters.iter().map(|it| it.name()).collect();
        let others: Vec<_> = self.others.iter().map(|(name, _)| name).collect();
        f.debug_struct("Config")
            .field("settings", &self.settings)
            .field("recent_spans", &self.recent_spans)
            .field("tracing", &self.tracing)
            .field("reporters", &reporters)
            .field("metric_reporters", &metric_reporters)
            .field("service_name", &self.service_name)
            .field("silent", &self.silent)
            .field("warnings", &self.warnings)
            .field("others", &others)
            .finish()
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (Config::new(), None),
            (Config::new().recent_spans(0), None),
            (Config::new().backoff(Duration::ZERO), None),
            (Config::new().patience(Duration::MAX), None),
            (
                Config::new().ring_spans(0),
                Some("`ring_spans` must not be zero"),
            ),
            (
                Config::new().ring_spans(usize::MAX),
                Some("`ring_spans` is too large"),
            ),
            (
                Config::new().queue_spans(0),
                Some("`queue_spans` must not be zero"),
            ),
            (
                Config::new().attempts(0),
                Some("`attempts` must not be zero"),
            ),
            (
                Config::new().drain_interval(Duration::ZERO),
                Some("`drain_interval` must not be zero"),
            ),
        ];
        for (config, expected) in cases {
            let said = config.check().err().map(|error| error.to_string());
            assert_eq!(said.as_deref(), expected, "{config:?}");
        }
    }

    #[test]
    fn a_ring_takes_no_more_memory_than_it_should() {
        let span = trace::FinishedSpan::SIZE + size_of::<trace::FinishedSpan>();
        let bytes = Settings::DEFAULT.ring_spans * span;
        assert!((128 * 1024..=256 * 1024).contains(&bytes), "{bytes} bytes");
    }
}
