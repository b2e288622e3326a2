//! The outside worlds, one each; every cargo feature lives here.

#[cfg(any(feature = "kameo", feature = "ractor"))]
mod actors;
#[cfg(not(feature = "tokio"))]
mod alone;
#[cfg(feature = "config")]
pub mod config;
mod configured;
#[cfg(feature = "http")]
pub mod http;
mod instant;
#[cfg(feature = "kameo")]
pub mod kameo;
#[cfg(feature = "log")]
pub mod log;
mod observed;
#[cfg(feature = "ractor")]
pub mod ractor;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(any(feature = "log", feature = "tracing"))]
mod statement;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tracing")]
pub mod tracing;

pub(crate) use self::observed::observe_runtime;

#[cfg(not(feature = "tokio"))]
pub(crate) use self::alone::{fill_budget, lift_budget, make_driver, renew_budget};
#[cfg(feature = "tokio")]
pub(crate) use self::tokio::{fill_budget, lift_budget, make_driver, renew_budget};
