//! Tests of the timers, driven by hand: no runtime, and time that moves only where a test says so.

#[cfg(feature = "test-util")]
mod callback;
#[cfg(feature = "test-util")]
mod clock;
mod hand;
#[cfg(feature = "test-util")]
mod interval;
mod schedule;
#[cfg(feature = "test-util")]
mod sleep;
mod threads;
mod wheel;
