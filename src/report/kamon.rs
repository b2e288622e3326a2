//! Beginning and ending: the configuration is put in force, everything recorded is sent out.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::report::courier::is_courier;
use crate::report::drain::DRAIN;
use crate::report::embedded::EMBEDDED;
use crate::report::metric_desks::METRIC_DESKS;
use crate::report::service::set_service_name;
use crate::report::settings::SETTINGS;
use crate::report::{Config, ConfigError};
use crate::trace::set_silent;

/// Puts a configuration in force.
///
/// Optional: without it everything works with the defaults. Called again, the later configuration
/// replaces the earlier one, and its reporters come in addition. After a
/// [`shutdown`](crate::shutdown) it starts reporting anew.
///
/// # Errors
///
/// When a setting is out of its range, or the interval of a metric reporter is zero. Nothing is
/// changed then.
///
/// # Examples
///
/// ```
/// let kamon = kamon::init(kamon::Config::new().recent_spans(1000))?;
/// // The service runs.
/// drop(kamon);
/// # Ok::<(), kamon::ConfigError>(())
/// ```
pub fn init(config: Config) -> Result<Kamon, ConfigError> {
    config.check()?;
    for warning in &config.warnings {
        let line = format!("kamon: {warning}\n");
        // Nobody can be told that the standard error is gone.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    let config = match config.silent {
        true => silenced(config),
        false => config,
    };
    *SETTINGS.lock() = config.settings;
    // Else it would sleep for as long as it was told before.
    DRAIN.wake();
    set_silent(config.silent);
    if let Some(tracing) = config.tracing {
        tracing.apply();
    }
    if let Some(name) = config.service_name {
        set_service_name(name);
    }
    for (_, apply) in config.others {
        apply();
    }
    EMBEDDED.ring().set_capacity(config.recent_spans);
    if DRAIN.reopen() {
        METRIC_DESKS.clear();
    }
    for reporter in config.reporters {
        DRAIN.add(reporter);
    }
    for reporter in config.metric_reporters {
        METRIC_DESKS.add(reporter);
    }
    Ok(Kamon { _private: () })
}

/// The configuration without what would report.
fn silenced(mut config: Config) -> Config {
    config.recent_spans = 0;
    config.reporters.clear();
    config.metric_reporters.clear();
    config
}

/// Stands for the configuration that [`init`] has put in force. [Flushes](crate::flush) when it is
/// dropped, so that a program whose `main` keeps it loses no spans at its end.
#[derive(Debug)]
pub struct Kamon {
    _private: (),
}

impl Kamon {
    /// Sends out everything that was recorded before: [`kamon::flush`](crate::flush).
    pub fn flush(&self) -> Flush {
        flush()
    }

    /// Sends out everything that was recorded before, and ends reporting:
    /// [`kamon::shutdown`](crate::shutdown).
    pub fn shutdown(self) -> Flush {
        shutdown()
    }
}

impl Drop for Kamon {
    fn drop(&mut self) {
        flush();
    }
}

/// How a [`flush`] or a [`shutdown`] went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// Every span that was recorded before it is reported or counted as dropped.
    Complete,
    /// A reporter was not done in time. After a flush its spans wait; after a shutdown they are
    /// counted as dropped.
    TimedOut,
}

/// Sends out every span that was recorded before. Returns when each of them is reported, or counted
/// as dropped.
///
/// Blocks its thread until the reporters are done, at most for
/// [`Config::patience`](crate::Config::patience); in a program whose only reporter is the embedded
/// one it waits for nobody. A reporter that fails is not left alone before it tries again. Called
/// by a reporter, it waits for none.
///
/// # Examples
///
/// ```
/// use kamon::report::Flush;
///
/// kamon::build_span("find-users").start().finish();
/// assert_eq!(kamon::flush(), Flush::Complete);
/// ```
pub fn flush() -> Flush {
    let deadline = deadline();
    let reporters = DRAIN.reporters_after_pass();
    let desks = METRIC_DESKS.all();
    if is_courier() {
        return Flush::TimedOut;
    }
    // All of them are asked before the first is waited for.
    let flushes: Vec<u64> = reporters.iter().map(|it| it.ask_for_flush()).collect();
    let of_metrics: Vec<u64> = desks.iter().map(|it| it.ask_for_flush()).collect();
    let mut done = true;
    for (reporter, flush) in reporters.iter().zip(flushes) {
        done &= reporter.await_flush(flush, deadline);
    }
    for (desk, flush) in desks.iter().zip(of_metrics) {
        done &= desk.await_flush(flush, deadline);
    }
    outcome(done)
}

/// Sends out every span that was recorded before, and ends reporting: the reporters stop, and spans
/// that are finished from now on are dropped and counted.
///
/// Blocks its thread until the reporters have stopped, at most for
/// [`Config::patience`](crate::Config::patience). What one still has then is dropped and counted.
/// What the embedded reporter keeps can still be read. [`init`] starts anew.
///
/// # Examples
///
/// ```
/// # fn end() {
/// kamon::shutdown();
/// let stats = kamon::report::stats();
/// assert_eq!(stats.recorded, stats.reported + stats.dropped.total());
/// # }
/// ```
pub fn shutdown() -> Flush {
    let deadline = deadline();
    let reporters = DRAIN.close();
    let desks = METRIC_DESKS.all();
    reporters.iter().for_each(|reporter| reporter.close());
    desks.iter().for_each(|desk| desk.close());
    if is_courier() {
        return Flush::TimedOut;
    }
    let mut done = true;
    for reporter in &reporters {
        done &= reporter.await_end(deadline);
    }
    for desk in &desks {
        done &= desk.await_end(deadline);
    }
    outcome(done)
}

/// When whoever waits from now on has waited for long enough.
pub(crate) fn deadline() -> Instant {
    let now = Instant::now();
    let patience = SETTINGS.lock().patience;
    // Beyond what the clock knows, a day is as good.
    now.checked_add(patience)
        .unwrap_or(now + Duration::from_secs(86_400))
}

fn outcome(done: bool) -> Flush {
    match done {
        true => Flush::Complete,
        false => Flush::TimedOut,
    }
}
