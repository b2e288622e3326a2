//! What the tests of the promises watch with: who saw which Context, on which threads, and what is
//! still alive.
#![allow(dead_code, unused_imports)] // Each test uses its own part of it.

#[path = "../locks/mod.rs"]
pub(crate) mod locks;
mod log;
mod steps;
mod threads;
mod values;

pub(crate) use log::{Log, OnDrop};
pub(crate) use steps::{after, pause, poll_by_hand, quiet_panic, Steps};
pub(crate) use threads::{on_each, workers, Watched};
pub(crate) use values::{Tally, Value};

use kamon::{current_context, Context, Key};

/// The number of a request; zero where no request is known.
pub(crate) static REQUEST: Key<u32> = Key::local("request", || 0);

/// A Context of the request with this number.
pub(crate) fn request(number: u32) -> Context {
    Context::empty().with_key(&REQUEST, number)
}

/// The number of the request that is current.
pub(crate) fn current() -> u32 {
    *current_context().get(&REQUEST)
}
