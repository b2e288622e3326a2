//! Sleeps, timeouts, intervals and timer callbacks.
//!
//! The surface is tokio's, and [`call_later`] besides it. There is no timer thread: the workers of
//! a runtime park until the next deadline, and look at the clock now and then while they are busy.
//!
//! # How it works
//!
//! A runtime owns one `Timers`. It holds some *shards*, each a timing wheel (`wheel.rs`) behind a
//! lock; a thread uses one of them for all it arms, so the lock is seldom contended. A wheel holds
//! wakers and callbacks in a slab, linked into the slots by index. Whoever armed one keeps its key
//! and takes it out with that: arming, moving and disarming take constant time with any number of
//! timers, and the key of an entry that has fired never names another one.
//!
//! Under a shard's lock runs nothing of the user's: no waker is cloned, woken or dropped there, no
//! callback run or dropped. What is due is moved out in small batches and fired between two holds
//! of the lock; a panic in it is contained.
//!
//! How a thread that parks and one that arms an earlier deadline find each other is told at
//! the head of `schedule.rs`. What the room needs from the runtime above it is the trait `Host`.
#![forbid(unsafe_code)]

pub mod error;

mod callback;
mod clock;
mod current;
mod far;
#[cfg(feature = "test-util")]
mod freeze;
mod host;
mod instant;
mod interval;
#[cfg(kamon_loom)]
pub mod modelled;
mod schedule;
mod shard;
mod sleep;
mod timeout;
mod timer;
mod timers;
mod wheel;

#[cfg(all(test, not(kamon_loom)))]
mod tests;

pub use self::callback::{call_later, TimerHandle};
#[cfg(feature = "test-util")]
pub use self::freeze::{advance, pause, resume};
pub use self::instant::Instant;
pub use self::interval::{interval, interval_at, Interval, MissedTickBehavior};
pub use self::sleep::{sleep, sleep_until, Sleep};
pub use self::timeout::{timeout, timeout_at, Timeout};
#[doc(no_inline)]
pub use std::time::Duration;

pub(crate) use self::clock::Clock;
pub(crate) use self::current::{enter, CurrentTimers};
pub(crate) use self::host::Host;
pub(crate) use self::timers::{ParkFor, Timers};
