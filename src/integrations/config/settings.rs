//! The settings: what each is called in a file and among variables, and what it does.

use std::time::Duration;

use crate::integrations::config::codecs;
use crate::integrations::config::draft::Draft;
use crate::integrations::config::given::Given;
use crate::integrations::config::problem::Problem;
use crate::integrations::config::sampling::Sampling;
use crate::trace::IdScheme;

/// A setting.
pub(super) struct Setting {
    /// What it is called in a file.
    pub(super) key: &'static str,
    /// The environment variable that says the same.
    pub(super) variable: &'static str,
    pub(super) set: fn(&mut Draft, &Given<'_>) -> Result<(), Problem>,
}

/// Two names and what they do.
const fn setting(
    key: &'static str,
    variable: &'static str,
    set: fn(&mut Draft, &Given<'_>) -> Result<(), Problem>,
) -> Setting {
    Setting { key, variable, set }
}

const AT_ONCE: Duration = Duration::ZERO;
const SHORTEST: Duration = Duration::from_nanos(1);
/// More workers than this no runtime has.
const MOST_WORKERS: usize = 32_768;
/// More spans than this no ring has room for.
const LARGEST_RING: usize = 1 << 20;
const MOST_RECENT: usize = usize::MAX / 2;
const MOST_ATTEMPTS: usize = u32::MAX as usize;
const MOST: usize = usize::MAX;

/// All settings but the codecs of single keys.
pub(super) const SETTINGS: &[Setting] = &[
    setting(
        "kamon.environment.service",
        "KAMON_SERVICE_NAME",
        |draft, given| {
            let name = given.text()?;
            draft.report(|config| config.service_name(name));
            Ok(())
        },
    ),
    setting(
        "kamon.executor.worker-threads",
        "KAMON_WORKER_THREADS",
        |draft, given| {
            draft.worker_threads = Some(given.count(1..=MOST_WORKERS)?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.sampler",
        "KAMON_TRACE_SAMPLER",
        |draft, given| {
            draft.tracing.sampling = Some(given.word(Sampling::NAMES)?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.random-sampler.probability",
        "KAMON_TRACE_RANDOM_SAMPLER_PROBABILITY",
        |draft, given| {
            draft.tracing.probability = Some(given.number(0.0..=1.0)?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.adaptive-sampler.throughput",
        "KAMON_TRACE_ADAPTIVE_SAMPLER_THROUGHPUT",
        |draft, given| {
            draft.tracing.throughput = Some(given.number(0.0..=f64::MAX)?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.identifier-scheme",
        "KAMON_TRACE_IDENTIFIER_SCHEME",
        |draft, given| {
            let schemes = [("single", IdScheme::Single), ("double", IdScheme::Double)];
            draft.tracing.ids = Some(given.word(&schemes)?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.trust-remote-sampling-decision",
        "KAMON_TRACE_TRUST_REMOTE_SAMPLING_DECISION",
        |draft, given| {
            draft.tracing.trust = Some(given.boolean()?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.ignored-operations",
        "KAMON_TRACE_IGNORED_OPERATIONS",
        |draft, given| {
            let patterns = given.texts()?;
            let patterns = patterns.into_iter().map(|(pattern, _)| pattern.to_owned());
            draft.tracing.ignored = Some(patterns.collect());
            Ok(())
        },
    ),
    setting(
        "kamon.trace.track-metrics-on-ignored-operations",
        "KAMON_TRACE_TRACK_METRICS_ON_IGNORED_OPERATIONS",
        |draft, given| {
            draft.tracing.measure_ignored = Some(given.boolean()?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.keep-failed-traces",
        "KAMON_TRACE_KEEP_FAILED_TRACES",
        |draft, given| {
            draft.tracing.keep_failed = Some(given.count(1..=MOST)?);
            Ok(())
        },
    ),
    setting(
        "kamon.trace.keep-slow-traces",
        "KAMON_TRACE_KEEP_SLOW_TRACES",
        |draft, given| {
            draft.tracing.keep_slow = Some(given.duration(AT_ONCE)?);
            Ok(())
        },
    ),
    setting(
        "kamon.report.recent-spans",
        "KAMON_REPORT_RECENT_SPANS",
        |draft, given| {
            let number = given.count(0..=MOST_RECENT)?;
            draft.report(|config| config.recent_spans(number));
            Ok(())
        },
    ),
    setting(
        "kamon.report.ring-spans",
        "KAMON_REPORT_RING_SPANS",
        |draft, given| {
            let number = given.count(1..=LARGEST_RING)?;
            draft.report(|config| config.ring_spans(number));
            Ok(())
        },
    ),
    setting(
        "kamon.report.queue-spans",
        "KAMON_REPORT_QUEUE_SPANS",
        |draft, given| {
            let number = given.count(1..=MOST)?;
            draft.report(|config| config.queue_spans(number));
            Ok(())
        },
    ),
    setting(
        "kamon.report.drain-interval",
        "KAMON_REPORT_DRAIN_INTERVAL",
        |draft, given| {
            let interval = given.duration(SHORTEST)?;
            draft.report(|config| config.drain_interval(interval));
            Ok(())
        },
    ),
    setting(
        "kamon.report.attempts",
        "KAMON_REPORT_ATTEMPTS",
        |draft, given| {
            let number = given.count(1..=MOST_ATTEMPTS)? as u32;
            draft.report(|config| config.attempts(number));
            Ok(())
        },
    ),
    setting(
        "kamon.report.backoff",
        "KAMON_REPORT_BACKOFF",
        |draft, given| {
            let pause = given.duration(AT_ONCE)?;
            draft.report(|config| config.backoff(pause));
            Ok(())
        },
    ),
    setting(
        "kamon.report.patience",
        "KAMON_REPORT_PATIENCE",
        |draft, given| {
            let longest = given.duration(AT_ONCE)?;
            draft.report(|config| config.patience(longest));
            Ok(())
        },
    ),
    setting(
        "kamon.context.codecs.largest-message",
        "KAMON_LARGEST_MESSAGE",
        |draft, given| {
            let bytes = given.count(0..=MOST)?;
            draft.change_codecs(|codecs| codecs.largest_message(bytes));
            Ok(())
        },
    ),
    setting(
        "kamon.context.codecs.trace-token-header",
        "KAMON_TRACE_TOKEN_HEADER",
        |draft, given| {
            let header = codecs::header(given)?;
            draft.change_codecs(|codecs| codecs.trace_token_header(header));
            Ok(())
        },
    ),
    setting(
        codecs::SPAN_IN_HEADERS,
        "KAMON_SPAN_CODECS",
        |draft, given| codecs::HEADERS.set(draft, "span", given),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// The names are a contract: they stand in the table that users read.
    #[test]
    fn every_setting_is_in_the_table() {
        let table = include_str!("README.md");
        let mut names = HashSet::new();
        for setting in SETTINGS {
            for name in [setting.key, setting.variable] {
                assert!(names.insert(name), "{name} is there twice");
                assert!(
                    table.contains(&format!("`{name}`")),
                    "{name} is not in the table"
                );
            }
        }
    }
}
