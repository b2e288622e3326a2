//! What is known of a metric besides its values.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use crate::metrics::unit::Unit;

/// What a metric's instruments do with what they are given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// Adds up: [`Counter`](super::Counter).
    Counter,
    /// Shows the latest: [`Gauge`](super::Gauge).
    Gauge,
    /// Keeps the distribution: [`Histogram`](super::Histogram).
    Histogram,
    /// Keeps the distribution of durations: [`Timer`](super::Timer).
    Timer,
    /// Keeps how far a number went up and down: [`RangeSampler`](super::RangeSampler).
    RangeSampler,
}

impl Kind {
    /// Returns the kind's name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Timer => "timer",
            Kind::RangeSampler => "range-sampler",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Name and kind make a metric. Unit and description are as whoever was first to say so.
#[derive(Debug)]
pub(crate) struct About {
    name: Cow<'static, str>,
    kind: Kind,
    unit: OnceLock<Unit>,
    description: OnceLock<Cow<'static, str>>,
}

impl About {
    pub(crate) fn new(name: Cow<'static, str>, kind: Kind) -> About {
        let unit = OnceLock::new();
        if kind == Kind::Timer {
            let _ = unit.set(Unit::Nanoseconds);
        }
        About {
            name,
            kind,
            unit,
            description: OnceLock::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn unit(&self) -> Unit {
        self.unit.get().copied().unwrap_or_default()
    }

    pub(crate) fn description(&self) -> &str {
        self.description.get().map_or("", |text| text)
    }

    pub(crate) fn set_unit(&self, unit: Unit) {
        let _ = self.unit.set(unit);
    }

    pub(crate) fn describe(&self, description: Cow<'static, str>) {
        let _ = self.description.set(description);
    }
}
