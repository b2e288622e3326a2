//! The task: what is polled, awaited and stopped, on top of `async-task`.
//!
//! One allocation holds everything about a task: `async-task`'s state word and awaiter, our
//! `Header` (the Context, the scheduler, the `Id`, the place it was spawned), and the future
//! or, later, its output. Data flows one way: spawn captures the Context, the header stores it,
//! `TaskFuture`'s poll and drop swap it in and out, and `Output` carries it to whoever takes
//! or drops the result.
//!
//! The room knows no executor. A task reaches the one it belongs to through the `Scheduler`
//! trait; spawning functions live in the `executor` room and are re-exported here because that
//! is where tokio's users look for them.

mod abort;
pub mod coop;
mod current;
mod error;
mod future;
mod header;
mod hooks;
mod id;
mod join;
mod join_set;
mod local_key;
mod output;
mod registry;
mod spawn;
mod yield_now;

pub use abort::AbortHandle;
pub use coop::{consume_budget, unconstrained, Unconstrained};
pub use current::{id, try_id};
pub use error::JoinError;
pub use id::Id;
pub use join::JoinHandle;
pub use join_set::JoinSet;
pub use local_key::{AccessError, LocalKey, TaskLocalFuture};
pub use yield_now::yield_now;

/// Futures of this module that nobody needs to name often.
pub mod futures {
    pub use crate::task::local_key::TaskLocalFuture;
}

pub(crate) use current::{take_awaiting, Entered, Helping};
pub(crate) use header::{Keep, Link, Notified, Scheduler};
pub use hooks::TaskMeta;
pub(crate) use hooks::{Attribution, Hooks};
#[cfg(kamon_loom)]
pub(crate) use registry::Left;
pub(crate) use registry::{Leaving, Registry, RegistryKey};
pub(crate) use spawn::allocate;

/// What tokio's users look for in this module and the room above provides.
pub use crate::executor::{
    block_in_place, spawn, spawn_blocking, spawn_on_set as spawn_local, LocalEnterGuard, LocalSet,
};
