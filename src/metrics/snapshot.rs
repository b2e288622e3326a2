//! What a subscriber is given: the values of one period.

use std::time::SystemTime;

use crate::metrics::about::{About, Kind};
use crate::metrics::distribution::Distribution;
use crate::metrics::tags::Tags;
use crate::metrics::unit::Unit;
use crate::sync::Arc;

/// Everything that was recorded in one period, as one subscriber sees it.
///
/// Each recording is in exactly one period of each subscriber. Periods of a subscriber follow one
/// another without a gap.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{self, Value};
/// use std::time::Duration;
///
/// let mut subscription = metrics::subscribe("period.example", Duration::from_secs(60));
/// let counter = metrics::counter("period.example");
/// counter.with_tag("outcome", "found").increment_by(4);
/// counter.with_tag("outcome", "missing").increment();
///
/// let period = subscription.snapshot();
/// assert_eq!(period.counter("period.example"), Some(5));
/// let found = period.named("period.example").next().unwrap();
/// assert_eq!(found.tags().get("outcome"), Some("found"));
/// assert_eq!(found.value(), &Value::Count(4));
/// ```
#[derive(Clone, Debug)]
pub struct PeriodSnapshot {
    from: SystemTime,
    to: SystemTime,
    skipped_ticks: u64,
    lost_series: u64,
    instruments: Vec<InstrumentSnapshot>,
}

/// The values of one instrument in one period.
#[derive(Clone, Debug)]
pub struct InstrumentSnapshot {
    about: Arc<About>,
    tags: Tags,
    value: Value,
}

/// What was recorded in a period, by the kind of instrument.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Value {
    /// By how much a counter grew.
    Count(u64),
    /// What a gauge shows at the end of the period.
    Level(f64),
    /// What a histogram or a timer recorded.
    Distribution(Distribution),
    /// How far the number of a range sampler went up and down.
    Range(Range),
}

/// How far the number of a range sampler went up and down in a period.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Range {
    /// The number at the end of the period.
    pub current: i64,
    /// At each sampling, three values: the least and the greatest number since the sampling before
    /// it, and the number then. Negative ones count as zero.
    pub samples: Distribution,
}

impl PeriodSnapshot {
    pub(crate) fn new(
        (from, to): (SystemTime, SystemTime),
        skipped_ticks: u64,
        lost_series: u64,
        mut instruments: Vec<InstrumentSnapshot>,
    ) -> PeriodSnapshot {
        // Stable: of two of a name, the older one, which was removed, stays before the newer.
        instruments.sort_by(|one, other| one.identity().cmp(&other.identity()));
        instruments.dedup_by(|newer, older| {
            let same = newer.identity() == older.identity();
            if same {
                older.value.go_on(&newer.value);
            }
            same
        });
        PeriodSnapshot {
            from,
            to,
            skipped_ticks,
            lost_series,
            instruments,
        }
    }

    /// Returns when the period began: when the one before it ended.
    pub fn from(&self) -> SystemTime {
        self.from
    }

    /// Returns when the period ended: when the values were read.
    pub fn to(&self) -> SystemTime {
        self.to
    }

    /// Returns at how many ticks within this period nobody was there to take a snapshot. Their
    /// recordings are in this one.
    pub fn skipped_ticks(&self) -> u64 {
        self.skipped_ticks
    }

    /// Returns how many instruments came and went without being read, because more than
    /// [`Subscription::MOST_UNSEEN`](super::Subscription::MOST_UNSEEN) did in this period.
    pub fn lost_series(&self) -> u64 {
        self.lost_series
    }

    /// Returns every instrument that the subscriber asked for, ordered by name and tags. One that
    /// recorded nothing in this period is there too.
    pub fn instruments(&self) -> &[InstrumentSnapshot] {
        &self.instruments
    }

    /// Returns the instruments of one name.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a InstrumentSnapshot> + 'a {
        let first = self.instruments.partition_point(|one| one.name() < name);
        let rest = &self.instruments[first..];
        let end = rest.partition_point(|one| one.name() <= name);
        rest[..end].iter()
    }

    /// Returns by how much the counters of a name grew, with whatever tags.
    pub fn counter(&self, name: &str) -> Option<u64> {
        let values = self.of_kind(name, Kind::Counter);
        let counts = values.filter_map(|value| match value {
            Value::Count(count) => Some(*count),
            _ => None,
        });
        counts.reduce(u64::wrapping_add)
    }

    /// Returns what the gauges of a name show together, with whatever tags.
    pub fn gauge(&self, name: &str) -> Option<f64> {
        let values = self.of_kind(name, Kind::Gauge);
        let levels = values.filter_map(|value| match value {
            Value::Level(level) => Some(*level),
            _ => None,
        });
        levels.reduce(|sum, level| sum + level)
    }

    /// Returns what the histograms of a name recorded, with whatever tags.
    pub fn histogram(&self, name: &str) -> Option<Distribution> {
        merged(self.of_kind(name, Kind::Histogram))
    }

    /// Returns what the timers of a name recorded, with whatever tags, in nanoseconds.
    pub fn timer(&self, name: &str) -> Option<Distribution> {
        merged(self.of_kind(name, Kind::Timer))
    }

    /// Returns the samples of the range samplers of a name, with whatever tags.
    pub fn range_sampler(&self, name: &str) -> Option<Distribution> {
        merged(self.of_kind(name, Kind::RangeSampler))
    }

    fn of_kind<'a>(&'a self, name: &str, kind: Kind) -> impl Iterator<Item = &'a Value> + 'a {
        self.named(name)
            .filter(move |one| one.kind() == kind)
            .map(InstrumentSnapshot::value)
    }
}

fn merged<'a>(values: impl Iterator<Item = &'a Value>) -> Option<Distribution> {
    let distributions = values.filter_map(|value| match value {
        Value::Distribution(distribution) => Some(distribution),
        Value::Range(range) => Some(&range.samples),
        _ => None,
    });
    distributions.fold(None, |sum: Option<Distribution>, next| {
        let mut sum = sum.unwrap_or_default();
        sum.merge(next);
        Some(sum)
    })
}

impl InstrumentSnapshot {
    pub(crate) fn new(about: Arc<About>, tags: Tags, value: Value) -> InstrumentSnapshot {
        InstrumentSnapshot { about, tags, value }
    }

    /// Returns the name of the metric.
    pub fn name(&self) -> &str {
        self.about.name()
    }

    /// Returns the kind of the metric.
    pub fn kind(&self) -> Kind {
        self.about.kind()
    }

    /// Returns what the values measure.
    pub fn unit(&self) -> Unit {
        self.about.unit()
    }

    /// Returns the metric's description, which may be empty.
    pub fn description(&self) -> &str {
        self.about.description()
    }

    /// Returns the tags of the instrument.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Returns what was recorded.
    pub fn value(&self) -> &Value {
        &self.value
    }

    fn identity(&self) -> (&str, &Tags, Kind) {
        (self.name(), &self.tags, self.kind())
    }
}

impl Value {
    /// Adds what an instrument recorded that took this one's place.
    fn go_on(&mut self, newer: &Value) {
        match (self, newer) {
            (Value::Count(count), Value::Count(newer)) => *count = count.wrapping_add(*newer),
            (Value::Distribution(older), Value::Distribution(newer)) => older.merge(newer),
            (Value::Range(older), Value::Range(newer)) => {
                older.current = newer.current;
                older.samples.merge(&newer.samples);
            }
            (older, newer) => *older = newer.clone(),
        }
    }
}
