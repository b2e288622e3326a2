//! The Context: typed values of one request, current on a thread exactly while that request's code runs.
#![doc = ""]
#![doc = include_str!("README.md")]

mod closure;
pub(crate) mod contain;
#[allow(clippy::module_inception)]
mod context;
mod credits;
mod frame;
mod future;
pub(crate) mod hand;
mod holders;
mod key;
#[cfg(kamon_loom)]
pub(crate) mod live;
#[cfg(kamon_loom)]
pub(crate) mod modelled;
mod node;
mod opened;
mod overlay;
pub(crate) mod registry;
mod saved;
mod scope;
pub(crate) mod slot;
mod spares;
mod stats;
mod tally;
#[cfg(all(test, not(kamon_loom)))]
mod tests;
mod word;

pub use closure::{with_context, with_context_key, wrap, wrap_fn};
pub use context::Context;
pub use future::{Around, ContextFutureExt, InContext};
pub use key::Key;
pub use scope::{store_context, Scope, ScopesMustNotBeHeldAcrossAwaitUseInContextInstead};
pub use slot::current_context;
pub use stats::{stats, ContextStats};
