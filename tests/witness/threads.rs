//! Runtimes whose threads are watched: none may ever rest or end with a Context.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use kamon::current_context;
use kamon::runtime::{Builder, Runtime};

/// A runtime, and what is known of its threads.
pub(crate) struct Watched {
    runtime: Option<Runtime>,
    looks: Arc<Looks>,
}

#[derive(Default)]
struct Looks {
    made: AtomicUsize,
    stale: AtomicUsize,
}

impl Looks {
    fn look(&self) {
        self.made.fetch_add(1, Ordering::SeqCst);
        if !current_context().is_empty() {
            self.stale.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A runtime of so many workers; of none: one that runs its tasks in `block_on`.
pub(crate) fn workers(number: usize) -> Watched {
    let mut builder = match number {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if number > 0 {
        builder.worker_threads(number);
    }
    let looks = Arc::new(Looks::default());
    let look = || {
        let looks = looks.clone();
        move || looks.look()
    };
    // Not at their start: then threads in `block_on` would run no tasks.
    builder
        .on_thread_park(look())
        .on_thread_unpark(look())
        .on_thread_stop(look());
    Watched {
        runtime: Some(builder.enable_all().build().unwrap()),
        looks,
    }
}

/// Runs a test on each kind of runtime: in `block_on`, with one worker, and with more.
pub(crate) fn on_each(test: impl Fn(&Watched)) {
    for number in [0, 1, 2, 4] {
        test(&workers(number));
    }
}

impl Watched {
    /// The runtime itself, for those who shut it down; its threads are watched no more.
    pub(crate) fn into_runtime(mut self) -> Runtime {
        self.runtime.take().unwrap()
    }

    /// Shuts the runtime down and looks at what its threads were left with.
    pub(crate) fn shut_down(self) {
        drop(self);
    }
}

impl Deref for Watched {
    type Target = Runtime;

    fn deref(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        let threads = runtime.metrics().num_workers();
        drop(runtime);
        if std::thread::panicking() {
            return;
        }
        let (made, stale) = (&self.looks.made, &self.looks.stale);
        assert_eq!(
            stale.load(Ordering::SeqCst),
            0,
            "threads left with a Context"
        );
        // A current-thread runtime that never had to wait has not been looked at.
        assert!(threads == 1 || made.load(Ordering::SeqCst) >= threads);
    }
}
