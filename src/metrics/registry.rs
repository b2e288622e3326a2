//! The metrics of the process by name, and who wants to know of new instruments.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Weak;

use crate::metrics::about::Kind;
use crate::metrics::counter::{Counter, CounterCell};
use crate::metrics::gauge::{Gauge, GaugeCell};
use crate::metrics::histogram::{Histogram, HistogramCell};
use crate::metrics::inbox::Inbox;
use crate::metrics::metric::Metric;
use crate::metrics::range_sampler::{RangeSampler, RangeSamplerCell};
use crate::metrics::series::{AnySeries, Cell};
use crate::metrics::timer::Timer;
use crate::sync::{global, Arc, Mutex};

/// The metrics of the process.
struct Registry {
    metrics: Mutex<Metrics>,
    // Taken after a metric's lock. No user code runs under it.
    roster: Mutex<Roster>,
}

struct Metrics {
    counters: ByName<CounterCell>,
    gauges: ByName<GaugeCell>,
    histograms: ByName<HistogramCell>,
    timers: ByName<HistogramCell>,
    range_samplers: ByName<RangeSamplerCell>,
}

type ByName<C> = BTreeMap<Cow<'static, str>, Arc<Metric<C>>>;

/// All instruments, and all subscribers. Under one lock, so that each subscriber finds each
/// instrument either here or in its inbox, and never in both.
struct Roster {
    /// By address.
    series: BTreeMap<usize, Arc<dyn AnySeries>>,
    inboxes: Vec<Weak<Inbox>>,
}

global! {
    static REGISTRY: Registry = Registry {
        metrics: Mutex::new(Metrics {
            counters: BTreeMap::new(),
            gauges: BTreeMap::new(),
            histograms: BTreeMap::new(),
            timers: BTreeMap::new(),
            range_samplers: BTreeMap::new(),
        }),
        roster: Mutex::new(Roster {
            series: BTreeMap::new(),
            inboxes: Vec::new(),
        }),
    };
}

/// Returns the counter of this name, without tags.
///
/// This looks the name up; keep the handle where it is used often.
///
/// # Examples
///
/// ```
/// use kamon::metrics;
///
/// let logins = metrics::counter("logins").with_description("users who came in");
/// logins.with_tag("method", "password").increment();
/// logins.with_tag("method", "passkey").increment_by(2);
/// ```
pub fn counter(name: impl Into<Cow<'static, str>>) -> Counter {
    let name = name.into();
    Counter::of(find(name, Kind::Counter, |metrics| &mut metrics.counters))
}

/// Returns the gauge of this name, without tags.
///
/// This looks the name up; keep the handle where it is used often.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{self, Unit};
///
/// let temperature = metrics::gauge("room.temperature").with_tag("room", "cellar");
/// temperature.update(17.5);
/// ```
pub fn gauge(name: impl Into<Cow<'static, str>>) -> Gauge {
    let name = name.into();
    Gauge::of(find(name, Kind::Gauge, |metrics| &mut metrics.gauges))
}

/// Returns the histogram of this name, without tags.
///
/// This looks the name up; keep the handle where it is used often.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{self, Unit};
///
/// let sizes = metrics::histogram("response.size").with_unit(Unit::Bytes);
/// sizes.with_tag("route", "/users").record(5432);
/// ```
pub fn histogram(name: impl Into<Cow<'static, str>>) -> Histogram {
    let name = name.into();
    let metric = find(name, Kind::Histogram, |metrics| &mut metrics.histograms);
    Histogram::of(metric)
}

/// Returns the timer of this name, without tags.
///
/// This looks the name up; keep the handle where it is used often.
///
/// # Examples
///
/// ```
/// use kamon::metrics;
/// use std::time::Duration;
///
/// let queries = metrics::timer("query.time").with_tag("table", "users");
/// let started = queries.start();
/// started.stop();
/// queries.record(Duration::from_micros(250));
/// ```
pub fn timer(name: impl Into<Cow<'static, str>>) -> Timer {
    let name = name.into();
    Timer::of(find(name, Kind::Timer, |metrics| &mut metrics.timers))
}

/// Returns the range sampler of this name, without tags.
///
/// This looks the name up; keep the handle where it is used often.
///
/// # Examples
///
/// ```
/// use kamon::metrics;
///
/// let connections = metrics::range_sampler("connections.open").with_tag("port", 8080);
/// connections.increment();
/// connections.decrement();
/// ```
pub fn range_sampler(name: impl Into<Cow<'static, str>>) -> RangeSampler {
    let name = name.into();
    let metric = find(name, Kind::RangeSampler, |metrics| {
        &mut metrics.range_samplers
    });
    RangeSampler::of(metric)
}

fn find<C: Cell>(
    name: Cow<'static, str>,
    kind: Kind,
    of_kind: impl FnOnce(&mut Metrics) -> &mut ByName<C>,
) -> Arc<Metric<C>> {
    let mut metrics = REGISTRY.metrics.lock();
    let by_name = of_kind(&mut metrics);
    match by_name.get(&name) {
        Some(metric) => metric.clone(),
        None => {
            let metric = Metric::new(name.clone(), kind);
            by_name.insert(name, metric.clone());
            metric
        }
    }
}

/// What may have been let go by everybody else while a lock was held. It is dropped without one:
/// with an instrument goes what it observed, which is the user's.
#[derive(Default)]
#[must_use = "it is dropped when no lock is held"]
pub(crate) struct Leftovers {
    series: Vec<Arc<dyn AnySeries>>,
    inboxes: Vec<Arc<Inbox>>,
}

/// Tells all subscribers of a new instrument.
pub(crate) fn join(series: Arc<dyn AnySeries>) -> Leftovers {
    let mut leftovers = Leftovers::default();
    let mut roster = REGISTRY.roster.lock();
    roster.inboxes.retain(|inbox| match inbox.upgrade() {
        Some(inbox) => {
            leftovers.series.extend(inbox.put(&series));
            // Its subscription may end right now.
            leftovers.inboxes.push(inbox);
            true
        }
        None => false,
    });
    roster.series.insert(address(&series), series);
    leftovers
}

/// Forgets an instrument. Subscribers who know it look once more.
pub(crate) fn leave(series: &Arc<dyn AnySeries>) {
    let left = REGISTRY.roster.lock().series.remove(&address(series));
    drop(left);
}

/// From now on new instruments are put into the inbox. Returns those that there are.
pub(crate) fn subscribe(inbox: &Arc<Inbox>) -> Vec<Arc<dyn AnySeries>> {
    let mut roster = REGISTRY.roster.lock();
    roster.inboxes.retain(|inbox| inbox.strong_count() > 0);
    roster.inboxes.push(Arc::downgrade(inbox));
    let all = roster.series.values();
    all.filter(|series| inbox.wants(&***series))
        .cloned()
        .collect()
}

/// What tells instruments apart that are alive.
fn address(series: &Arc<dyn AnySeries>) -> usize {
    Arc::as_ptr(series).cast::<()>() as usize
}
