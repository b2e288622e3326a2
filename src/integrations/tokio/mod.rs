//! tokio: its sockets, timers, files, processes and signals inside kamon tasks, and the Context on
//! its own runtimes.
//!
//! # What works, and how
//!
//! With the feature `tokio` (on by default) every kamon runtime owns a current-thread tokio
//! runtime. It has no thread: an idle kamon worker waits for events *inside* it, and a busy one
//! looks in every [`event_interval`](crate::runtime::Builder::event_interval) turns. Every
//! thread of a kamon runtime (workers, blocking threads, a thread in `block_on`) has it entered
//! for as long as it lives, so `tokio::net`, `tokio::time`, `tokio::fs`, `tokio::process`,
//! `tokio::signal` and whatever is built on them work unwrapped inside kamon tasks.
//!
//! # `tokio::spawn` inside a kamon task
//!
//! Libraries call it. Such a task runs on the inner tokio runtime: on whichever worker waits in
//! it, or looks in. It makes progress also when all workers are busy, as long as they take
//! turns; it runs beside no other tokio task at the same time; and it carries the **empty**
//! Context, since tokio gives nobody a place to put one. For tasks that belong to the request
//! use [`kamon::spawn`](crate::spawn). What tokio's `JoinSet` and `Handle` spawn are such tasks, and so are
//! those of whatever is built on them, as tokio-util's `TaskTracker`.
//!
//! tokio's `spawn_blocking` runs on the inner runtime's
//! blocking pool, in the empty Context too, with
//! [`max_blocking_threads`](crate::runtime::Builder::max_blocking_threads) as its limit. These threads have
//! entered no kamon runtime: `kamon::spawn` goes to the global one there, and
//! [`Handle::current`](crate::runtime::Handle::current) panics. In threads of
//! [`kamon::spawn_blocking`](crate::spawn_blocking) both find the runtime that they belong to.
//!
//! tokio's `block_in_place` has nobody to hand the worker to: in a kamon task and in `block_on` it runs its
//! closure where it is. In such a task of tokio's it panics, as on every current-thread runtime of tokio's
//! (`can call blocking only when running on the multi-threaded runtime`): use `spawn_blocking` there.
//!
//! tokio does not say where one of its tasks begins and ends, so it is not surrounded as ours are: a
//! [`Scope`](crate::Scope) that such a task forgets (`mem::forget`) is current in the next ones until the inner runtime
//! has nothing to run for a moment, and one that a closure of tokio's `spawn_blocking` forgets until that thread ends.
//! [`spawn`] and [`spawn_blocking`] from here surround what they run.
//!
//! # Staying on tokio
//!
//! Those who keep their tokio runtime use [`spawn`] and [`spawn_blocking`] from here: the
//! Context follows, and the handles are tokio's own.

mod bridge;
mod budget;
mod driver;

pub use bridge::{spawn, spawn_blocking};
pub(crate) use budget::{fill_budget, lift_budget, renew_budget};
pub(crate) use driver::make_driver;
