//! Synchronization primitives: std's, or loom's under `cfg(kamon_loom)`. The only room that knows loom.
//!
//! Everything above this room is written once and runs on both. What the two halves offer is the
//! same: atomics and `fence`, an [`UnsafeCell`] with `with`/`with_mut`, a [`Mutex`] and a
//! [`Condvar`] that ignore poisoning, a [`tls!`] for thread-locals without a destructor, a
//! [`global!`] for statics, and [`spin`] and [`give_way`] for loops that wait for another thread.
//!
//! What lives in any other `static` stays on std's atomics ([`statics`]): loom's cannot be built in
//! a constant, and nothing in a static may outlive one execution of a model.

#[cfg(kamon_loom)]
mod loomed;
pub(crate) mod parts;
#[cfg(not(kamon_loom))]
mod plain;
pub(crate) mod seat;
pub(crate) mod sums;
#[cfg(kamon_tsan)]
mod tsan;

#[cfg(kamon_loom)]
pub(crate) use loomed::*;
#[cfg(not(kamon_loom))]
pub(crate) use plain::*;

pub(crate) use std::sync::Arc;

/// Atomics that are reached through a task or its waker. What orders their accesses is the task's
/// state, which is `async-task`'s. loom sees that only at the second level (`cfg(kamon_visible)`);
/// at the first they are as invisible to it.
pub(crate) mod in_task {
    #[cfg(any(not(kamon_loom), kamon_visible))]
    pub(crate) use super::atomic::{AtomicBool, AtomicU8, Ordering};
    #[cfg(all(kamon_loom, not(kamon_visible)))]
    pub(crate) use super::statics::{AtomicBool, AtomicU8, Ordering};
}

/// Atomics for statics and plain counters: std's in both halves. And a lock for statics.
pub(crate) mod statics {
    #![allow(unused_imports)] // Which of these are in use depends on the features.
    pub(crate) use std::sync::atomic::Ordering;
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicU8, AtomicUsize,
    };

    #[cfg(kamon_loom)]
    pub(crate) use super::loomed::{StaticMutex as Mutex, StaticMutexGuard as MutexGuard};
    #[cfg(not(kamon_loom))]
    pub(crate) use super::plain::{Mutex, MutexGuard};
}
