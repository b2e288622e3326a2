//! What a number is a number of.

use std::fmt;

/// What the values of a metric measure.
///
/// # Examples
///
/// ```
/// use kamon::metrics::Unit;
///
/// assert_eq!(Unit::Nanoseconds.convert(1_500_000.0, Unit::Milliseconds), Some(1.5));
/// assert_eq!(Unit::Nanoseconds.convert(1.0, Unit::Bytes), None);
/// assert_eq!(Unit::Bytes.to_string(), "bytes");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Unit {
    /// A plain number.
    #[default]
    None,
    /// Hundredths of a whole.
    Percentage,
    /// Billionths of a second: what timers record.
    Nanoseconds,
    /// Millionths of a second.
    Microseconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// 1024 bytes.
    Kilobytes,
    /// 1024 kilobytes.
    Megabytes,
    /// 1024 megabytes.
    Gigabytes,
}

/// What units are of the same kind.
#[derive(PartialEq, Eq)]
enum Dimension {
    None,
    Percentage,
    Time,
    Information,
}

impl Unit {
    /// Returns a value of this unit in another one, if they measure the same.
    pub fn convert(self, value: f64, to: Unit) -> Option<f64> {
        let (from_dimension, from_scale) = self.scale();
        let (to_dimension, to_scale) = to.scale();
        (from_dimension == to_dimension).then(|| value * from_scale / to_scale)
    }

    /// Returns the unit's name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Unit::None => "none",
            Unit::Percentage => "percentage",
            Unit::Nanoseconds => "nanoseconds",
            Unit::Microseconds => "microseconds",
            Unit::Milliseconds => "milliseconds",
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::Kilobytes => "kilobytes",
            Unit::Megabytes => "megabytes",
            Unit::Gigabytes => "gigabytes",
        }
    }

    /// The dimension, and how many of its least unit this one is.
    fn scale(self) -> (Dimension, f64) {
        const KILO: f64 = 1024.0;
        match self {
            Unit::None => (Dimension::None, 1.0),
            Unit::Percentage => (Dimension::Percentage, 1.0),
            Unit::Nanoseconds => (Dimension::Time, 1.0),
            Unit::Microseconds => (Dimension::Time, 1e3),
            Unit::Milliseconds => (Dimension::Time, 1e6),
            Unit::Seconds => (Dimension::Time, 1e9),
            Unit::Bytes => (Dimension::Information, 1.0),
            Unit::Kilobytes => (Dimension::Information, KILO),
            Unit::Megabytes => (Dimension::Information, KILO * KILO),
            Unit::Gigabytes => (Dimension::Information, KILO * KILO * KILO),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
