//! What a pool is told when it is made, and what it tells of itself.

use std::time::Duration;

use crate::sync::Arc;
use crate::task::Hooks;
use crate::time::Timers;

/// The properties of a pool.
pub(crate) struct BlockingConfig {
    /// The most threads that run closures at the same time.
    pub(crate) max_threads: usize,
    /// For how long a thread without work stays.
    pub(crate) keep_alive: Duration,
    /// Makes a name for each thread.
    pub(crate) thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    /// The size of the threads' stacks, or the system's own.
    pub(crate) stack_size: Option<usize>,
    /// Called on each thread as it begins.
    pub(crate) on_start: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Called on each thread as it ends.
    pub(crate) on_stop: Option<Arc<dyn Fn() + Send + Sync>>,
    /// The runtime's timers, whose paused clock does not jump while a closure waits or runs.
    pub(crate) timers: Arc<Timers>,
    /// The runtime's task hooks.
    pub(crate) hooks: Hooks,
}

/// Calls what it is given with a runtime around it: see [`BlockingPool::new`](super::BlockingPool::new).
pub(crate) type Around = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// A look at a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockingStats {
    pub(crate) threads: usize,
    pub(crate) idle: usize,
    pub(crate) queued: usize,
}
