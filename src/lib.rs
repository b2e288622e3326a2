//! An async executor that carries the request's Context everywhere.
#![doc = ""]
// The rooms' own prose links to what is private, for those who read it in the sources.
#![allow(rustdoc::private_intra_doc_links)]
#![cfg_attr(all(feature = "macros", feature = "tokio"), doc = include_str!("../README.md"))]
// What only models use is no public face, and what only users use is unused there.
#![cfg_attr(
    kamon_loom,
    allow(
        dead_code,
        missing_docs,
        unused_imports,
        unused_macros,
        clippy::new_without_default,
        clippy::type_complexity
    )
)]

pub mod context;
mod executor;
mod integrations;
mod queue;
mod sync;
pub mod task;
pub mod time;

pub use context::{
    current_context, store_context, with_context, with_context_key, wrap, Context,
    ContextFutureExt, Key, Scope,
};
pub use executor::runtime;
pub use executor::{block_on, spawn, spawn_blocking, spawn_in, spawn_local, spawn_root};
#[cfg(feature = "macros")]
pub use kamon_macros::{main, test};

#[cfg(feature = "tokio")]
pub use integrations::tokio;

// What lower rooms need from higher ones, put together here.
use executor::default_timers;
use integrations::{fill_budget, lift_budget, make_driver, renew_budget};

/// What the models of `loom-tests` see besides the public face.
#[cfg(kamon_loom)]
#[doc(hidden)]
pub mod __model {
    pub use crate::context::modelled::{
        assert_on_base, contexts_alive, forget_contexts, is_on_base, leave_base, stand_on,
    };
    pub use crate::executor::modelled::{alive, forget_alive, Census, Idle, Parker};
    pub use crate::queue::{make_weak_queues, Parcels};
    pub use crate::sync::thread::{around_threads, begin_threads, end_threads};
    pub use crate::time::modelled::Promise;
}
