//! How a runtime was built.

use crate::context::contain::quietly;
use crate::context::{slot::Frame, Context};
use crate::sync::Arc;
use crate::task::Hooks;

/// A callback on a worker's thread.
pub(crate) type ThreadHook = Arc<dyn Fn() + Send + Sync>;

/// Everything that the builder decides and the running runtime reads.
pub(crate) struct Config {
    /// The number of worker threads; zero for a current-thread runtime.
    pub(crate) workers: usize,
    /// Whether there is no processor left over when all workers are busy.
    pub(crate) crowded: bool,
    /// Whether threads in `block_on` may run tasks: not if workers' threads were asked to have what those
    /// may lack.
    pub(crate) guests_help: bool,
    pub(crate) name: Option<String>,
    pub(crate) event_interval: u32,
    pub(crate) global_queue_interval: u32,
    pub(crate) on_start: Option<ThreadHook>,
    pub(crate) on_stop: Option<ThreadHook>,
    pub(crate) on_park: Option<ThreadHook>,
    pub(crate) on_unpark: Option<ThreadHook>,
    pub(crate) task_hooks: Hooks,
    /// Whether there are task hooks at all.
    pub(crate) hooked: bool,
}

impl Config {
    /// Runs a thread hook. One that panics does not take its thread with it, and a Scope that it
    /// leaves open ends with it.
    #[inline]
    pub(crate) fn call(&self, hook: &Option<ThreadHook>) {
        if let Some(hook) = hook {
            call_thread_hook(hook);
        }
    }
}

/// Runs a hook of a worker or of a thread of the blocking pool, in the empty Context.
pub(crate) fn call_thread_hook(hook: &ThreadHook) {
    let empty = Context::empty();
    let _frame = Frame::enter(&empty);
    quietly(|| hook());
}
