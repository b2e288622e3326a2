//! The executor: workers that take turns at tasks, sleep when there are none, and carry nothing
//! from one task to the next.
#![doc = ""]
#![doc = include_str!("README.md")]

mod account;
mod block_on;
mod blocking;
mod burial;
mod call;
mod census;
mod config;
mod core;
pub(crate) mod driver;
mod enter;
mod global;
mod guest;
mod habit;
mod idle;
mod join_set;
mod local;
mod looks;
#[cfg(kamon_loom)]
pub(crate) mod modelled;
mod pace;
mod parker;
mod rest;
mod running;
pub mod runtime;
mod search;
mod seat;
mod shared;
mod spawn;
mod stats;
mod threads;
mod watch;
mod worker;

pub use local::{spawn_local, spawn_on_set, LocalEnterGuard, LocalSet};
pub use spawn::{block_on, spawn, spawn_blocking, spawn_in, spawn_root};
pub use threads::block_in_place;

pub(crate) use global::{set_default_worker_threads, timers as default_timers};
