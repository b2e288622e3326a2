//! What a shutdown waits for: the workers, and the threads that they are on.

use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex, MutexGuard};

/// The workers of a runtime that have not retired, and their threads.
///
/// A worker that blocks in place goes on elsewhere, and leaves behind a thread that is none any more. So
/// these are two numbers.
pub(crate) struct Running {
    state: Mutex<State>,
    fewer: Condvar,
}

#[derive(Default)]
struct State {
    workers: usize,
    threads: usize,
    /// Whether nobody waits for the workers any more.
    abandoned: bool,
}

impl Running {
    /// None has begun.
    pub(crate) fn new() -> Running {
        Running {
            state: Mutex::new(State::default()),
            fewer: Condvar::new(),
        }
    }

    /// A worker begins.
    pub(crate) fn worker_started(&self) {
        self.state.lock().workers += 1;
    }

    /// A worker has retired. Returns whether it has to end what is left, because it was the last one and
    /// nobody has waited for that.
    #[must_use]
    pub(crate) fn worker_retired(&self) -> bool {
        let mut state = self.state.lock();
        state.workers -= 1;
        self.fewer.notify_all();
        state.workers == 0 && state.abandoned
    }

    /// A worker's thread begins.
    pub(crate) fn thread_started(&self) {
        self.state.lock().threads += 1;
    }

    /// A worker's thread, or one that was, has done its last.
    pub(crate) fn thread_stopped(&self) {
        self.state.lock().threads -= 1;
        self.fewer.notify_all();
    }

    /// Waits until the workers have retired, or until `timeout`. Returns whether they have; if not, the last
    /// of them is going to be [told](Self::worker_retired).
    pub(crate) fn wait_for_workers(&self, timeout: Option<Duration>) -> bool {
        let mut state = self.wait_until(timeout, |state| state.workers == 0);
        state.abandoned = state.workers > 0;
        !state.abandoned
    }

    /// Waits until the threads have ended, or until `timeout`. Returns whether they have.
    pub(crate) fn wait_for_threads(&self, timeout: Option<Duration>) -> bool {
        let state = self.wait_until(timeout, |state| state.threads == 0);
        state.threads == 0
    }

    fn wait_until(
        &self,
        timeout: Option<Duration>,
        done: fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let start = Instant::now();
        let mut state = self.state.lock();
        while !done(&state) {
            state = match timeout {
                None => self.fewer.wait(state),
                Some(timeout) => match timeout.checked_sub(start.elapsed()) {
                    Some(left) if !left.is_zero() => self.fewer.wait_timeout(state, left),
                    _ => break,
                },
            };
        }
        state
    }
}
