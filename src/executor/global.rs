//! The runtime for those who have built none.

use std::sync::OnceLock;

use crate::executor::runtime::{Builder, Handle, Runtime};
use crate::sync::statics::{AtomicUsize, Ordering};
use crate::sync::Arc;
use crate::time::Timers;

/// The environment variable that sets the number of worker threads where the builder does not.
pub(crate) const WORKER_THREADS: &str = "KAMON_WORKER_THREADS";

/// The global runtime, started at first use.
///
/// # Panics
///
/// If it cannot be started: the system refuses threads, or the environment variable is not a
/// positive number.
pub(crate) fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| match Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("failed to start the global kamon runtime: {error}"),
        })
        .handle()
}

/// The timers of threads that have entered no runtime.
pub(crate) fn timers() -> Arc<Timers> {
    runtime().shared().timers.clone()
}

/// The number that the configuration has said; zero if it has not.
static CONFIGURED: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of worker threads of runtimes that are built from now on, where their builder
/// does not say one.
pub(crate) fn set_default_worker_threads(number: usize) {
    CONFIGURED.store(number, Ordering::Relaxed);
}

/// The number of worker threads where the builder has not said one: the configuration's, the
/// environment's, or one for each core.
pub(crate) fn default_worker_threads() -> usize {
    match CONFIGURED.load(Ordering::Relaxed) {
        0 => {}
        number => return number,
    }
    match std::env::var(WORKER_THREADS) {
        Ok(text) => match text.trim().parse() {
            Ok(0) => panic!("{WORKER_THREADS} cannot be set to 0"),
            Ok(number) => number,
            Err(error) => panic!("{WORKER_THREADS} must be a number, not {text:?}: {error}"),
        },
        Err(std::env::VarError::NotPresent) => processors(),
        Err(error) => panic!("{WORKER_THREADS} must be a number: {error}"),
    }
}

/// How many threads can run at once.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
