//! Counters, gauges, histograms, timers and range samplers, and who reads them.
//!
//! ```
//! use kamon::metrics;
//! use std::time::Duration;
//!
//! let orders = metrics::counter("orders").with_tag("country", "de");
//! let latency = metrics::timer("orders.latency");
//!
//! let mut subscription = metrics::subscribe("orders*", Duration::from_secs(60));
//! orders.increment();
//! latency.record(Duration::from_millis(3));
//!
//! let period = subscription.snapshot(); // or `.next().await`, at the full minute
//! assert_eq!(period.counter("orders"), Some(1));
//! assert_eq!(period.timer("orders.latency").unwrap().count(), 1);
//! ```
//!
//! A *metric* is a name and a kind; its *instruments* differ in their tags. An instrument comes into
//! being with its first recording, and lives until it is removed.
//!
//! # Each recording in exactly one period of each subscriber
//!
//! **What instruments hold only grows, and is never cleared.** A subscriber remembers what it saw
//! last and subtracts. There is no reset that a recording could fall in between of, and subscribers
//! have nothing to do with one another: each looks when it wants to, and if it is late its period is
//! longer.
//!
//! - A recording into a counter, a histogram or a timer is *one* addition to *one* number, so a
//!   reader finds it done or not done. What a reader has found, it finds again the next time: one
//!   number is never seen to go back. Hence the periods of a subscriber add up to the total. (The
//!   sum of a histogram is worked out from its buckets; a sum of its own would be a second number.)
//! - A subscriber is told of new instruments under the lock under which it came itself. Those that
//!   were there it watches from what they show then, new ones from zero.
//! - An instrument that is removed is marked. Subscribers who find the mark, and then read the
//!   values, have read everything recorded before the removal; it was the last time.
//! - A gauge shows what is now, to everybody.
//!
//! # Range samplers
//!
//! The extremes of a number since somebody last looked seem to need a reset for each subscriber. They
//! do not: a *sampling* is one event for all. It swaps the extremes for the present number, so that a
//! peak is found by exactly one sampling, and records them in counts like a histogram's, from which
//! each subscriber subtracts what it has seen. Subscribers sample every 200 ms while they are polled,
//! and before they read; hence whoever reads has every extreme up to then in its period. (Or in the
//! next one, where things overlap: a thread has changed the number and not yet noted the peak, or
//! another subscriber's sampling has found it and not yet recorded it.) The price is that a
//! subscriber sees the samplings of the others too: how often an idle number was sampled depends on
//! who else looks, its extremes do not.
//!
//! # Recording without meeting
//!
//! An instrument is in *parts*, one for each *seat*. A thread that has a seat of its own is the only
//! writer of its parts and needs no atomic read-modify-write; the first 32 threads at a time that
//! record have one (`seat.rs`). Parts are made when their thread first comes. A histogram's part
//! has a kibibyte for each power of two that it has seen, not for all 36.
//!
//! # Time
//!
//! Ticks come at multiples of the interval by the clock on the wall. Between two of them a
//! subscription sleeps by the root's `tick_after`, for this room knows of no timers.

mod about;
mod buckets;
mod counter;
mod counts;
mod distribution;
mod filter;
mod gauge;
mod glob;
mod handle;
mod histogram;
mod inbox;
mod lookup;
mod metric;
#[cfg(kamon_loom)]
mod modelled;
mod observe;
mod own;
mod range_sampler;
mod registry;
mod reporter;
mod series;
mod snapshot;
mod subscription;
mod tags;
mod tick;
mod timer;
mod unit;

pub use self::about::Kind;
pub use self::counter::Counter;
pub use self::distribution::{BucketCount, Distribution};
pub use self::filter::Filter;
pub use self::gauge::Gauge;
pub use self::histogram::Histogram;
pub use self::metric::DEFAULT_SERIES_LIMIT;
pub use self::observe::Observation;
pub use self::range_sampler::RangeSampler;
pub use self::registry::{counter, gauge, histogram, range_sampler, timer};
pub use self::reporter::MetricReporter;
pub use self::snapshot::{InstrumentSnapshot, PeriodSnapshot, Range, Value};
pub use self::subscription::{subscribe, Subscription};
pub use self::tags::{TagText, Tags};
pub(crate) use self::timer::ThreadTimer;
pub use self::timer::{StartedTimer, Timer};
pub use self::unit::Unit;

pub(crate) use self::glob::Glob;
pub(crate) use self::lookup::Text;
#[cfg(kamon_loom)]
pub use self::modelled::SeatedSum;
