//! The life of one thread of the pool.

use std::cell::Cell;
use std::io;
use std::ptr;
use std::time::Instant;

use crate::context::contain::{contain, discard};
use crate::executor::blocking::config::{Around, BlockingConfig};
use crate::executor::blocking::pool::{Shared, State};
use crate::executor::config::call_thread_hook;
use crate::sync::thread::{Builder, JoinHandle as ThreadHandle};
use crate::sync::{tls, Arc, MutexGuard};

tls! {
    /// The pool that this thread belongs to.
    static POOL: Cell<*const Shared> = Cell::new(ptr::null());
}

/// Makes a name for a thread. It calls what the user gave, so the caller holds no lock.
pub(super) fn name(config: &BlockingConfig) -> String {
    let name = contain(|| (config.thread_name)()).unwrap_or_else(|payload| {
        discard(payload);
        String::new()
    });
    // No name: the function panicked. A null byte: the system takes no such name.
    match name.is_empty() || name.contains('\0') {
        true => String::from("kamon-blocking"),
        false => name,
    }
}

/// Starts a thread of `shared`. The caller holds the lock and counts it.
pub(super) fn start(
    shared: Arc<Shared>,
    number: u64,
    name: String,
    around: Around,
) -> io::Result<ThreadHandle<()>> {
    let mut builder = Builder::new().name(name);
    if let Some(stack_size) = shared.config.stack_size {
        builder = builder.stack_size(stack_size);
    }
    builder.spawn(move || {
        // Counted out at the very end, when all that the thread had is gone.
        let thread = Thread { shared, number };
        POOL.with(|pool| pool.set(&*thread.shared));
        let served = contain(|| around(&mut || thread.live()));
        if let Err(payload) = served {
            discard(payload);
        }
        drop(around);
    })
}

/// Whether the calling thread is one of `shared`'s.
pub(super) fn is_of(shared: &Shared) -> bool {
    POOL.with(|pool| ptr::eq(pool.get(), shared))
}

struct Thread {
    shared: Arc<Shared>,
    number: u64,
}

impl Thread {
    fn live(&self) {
        self.call(&self.shared.config.on_start);
        let departed = self.serve();
        self.call(&self.shared.config.on_stop);
        if let Some(thread) = departed {
            let _ = thread.join();
        }
    }

    /// Does what there is to do until there is no more reason to stay. Returns the thread that
    /// left before this one and has to be joined.
    fn serve(&self) -> Option<ThreadHandle<()>> {
        let mut state = self.shared.state.lock();
        state.starting -= 1;
        loop {
            state = self.work(state);
            let surplus = state.short_threads() > self.shared.config.max_threads;
            if state.closed || surplus {
                break;
            }
            let called;
            (state, called) = self.rest(state);
            if !called {
                break;
            }
        }
        // In the same breath as the decision to leave: from now on nobody counts on this thread.
        state.threads -= 1;
        if state.closed {
            // Whoever shuts the pool down joins all of us.
            return None;
        }
        let own = state.handles.remove(&self.number);
        std::mem::replace(&mut state.departed, own)
    }

    /// Does jobs until the queue is empty, or this thread is one too many.
    fn work<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while let Some(job) = state.next_job() {
            drop(state);
            let long = job.is_long();
            job.run();
            state = self.shared.state.lock();
            if long {
                state.long -= 1;
                if state.short_threads() > self.shared.config.max_threads {
                    break;
                }
            }
        }
        state
    }

    /// Waits for a call. Returns false if none came for too long, or none will.
    fn rest<'a>(&'a self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        let until = Instant::now().checked_add(self.shared.config.keep_alive);
        state.idle += 1;
        loop {
            // First, so that a call which comes together with the end of the time is answered:
            // whoever called has counted on it.
            if state.called > 0 {
                state.called -= 1;
                return (state, true);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if state.closed || left.is_some_and(|left| left.is_zero()) {
                state.idle -= 1;
                return (state, false);
            }
            state = match left {
                Some(left) => self.shared.work.wait_timeout(state, left),
                None => self.shared.work.wait(state),
            };
        }
    }

    fn call(&self, hook: &Option<Arc<dyn Fn() + Send + Sync>>) {
        if let Some(hook) = hook {
            call_thread_hook(hook);
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.alive -= 1;
        self.shared.ended.notify_all();
    }
}
