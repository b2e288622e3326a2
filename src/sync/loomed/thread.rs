//! Starting model threads and parking them.
#![allow(clippy::type_complexity, unreachable_pub)]
#![allow(dead_code, unused_imports)]
use std::cell::Cell;
use std::io;

pub(crate) use loom::thread::{JoinHandle, ThreadId};

use super::{atomic::Ordering, tls, Condvar, Duration, Mutex, ELAPSED};
use crate::sync::Arc;

/// The size of a thread's stack, in words: loom's own is too small for nested polls.
const STACK: usize = 0x2000;

std::thread_local! {
    // loom runs all threads of a model on one thread of the system.
    static AROUND: Cell<(fn(), fn())> = const { Cell::new((nothing, nothing)) };
    /// The number of the next thread; zero outside of executions.
    static NEXT: Cell<usize> = const { Cell::new(0) };
}

fn nothing() {}

/// An execution begins.
pub fn begin_threads() {
    around_threads(nothing, nothing);
    NEXT.with(|next| next.set(1));
}

/// Says what every thread that a [`Builder`] starts from now on does first and last.
pub fn around_threads(first: fn(), last: fn()) {
    AROUND.with(|around| around.set((first, last)));
}

/// The execution has ended.
pub fn end_threads() {
    NEXT.with(|next| next.set(0));
}

pub(super) fn in_execution() -> bool {
    NEXT.with(Cell::get) > 0
}

tls! {
    static NUMBER: Cell<usize> = Cell::new(0);
}

/// A small number that tells threads apart, the same in every execution that goes the same way.
pub(crate) fn number() -> usize {
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.with(|next| next.replace(next.get() + 1)));
        }
        number.get() - 1
    })
}

/// Starts a thread.
pub(crate) struct Builder(loom::thread::Builder);

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder(loom::thread::Builder::new().stack_size(STACK))
    }

    pub(crate) fn name(self, name: String) -> Builder {
        Builder(self.0.name(name))
    }

    /// What is right for a thread of the system is not for one of a model.
    pub(crate) fn stack_size(self, _bytes: usize) -> Builder {
        self
    }

    pub(crate) fn spawn<F, T>(self, run: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (first, last) = AROUND.with(Cell::get);
        self.0.spawn(move || {
            first();
            let result = run();
            last();
            result
        })
    }
}

/// A handle to a thread. loom's own forgets a call when the thread waits for a lock before it
/// parks; this one keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Thread {
    id: ThreadId,
    calls: Arc<Calls>,
}

#[derive(Debug)]
struct Calls {
    called: Mutex<bool>,
    signal: Condvar,
}

tls! {
    static CURRENT: Thread = Thread::new();
}

impl Thread {
    fn new() -> Thread {
        let calls = Calls {
            called: Mutex::new(false),
            signal: Condvar::new(),
        };
        Thread {
            id: loom::thread::current().id(),
            calls: Arc::new(calls),
        }
    }

    pub(crate) fn id(&self) -> ThreadId {
        self.id
    }

    pub(crate) fn unpark(&self) {
        *self.calls.called.lock() = true;
        self.calls.signal.notify_one();
    }
}

pub(crate) fn current() -> Thread {
    CURRENT.with(Thread::clone)
}

pub(crate) fn park() {
    let calls = current().calls;
    let mut called = calls.called.lock();
    while !*called {
        called = calls.signal.wait(called);
    }
    *called = false;
}

/// Sleeps for as long as it was told, which takes no time but lets the others go on: a model's
/// clock has no hands but this one. A call that comes meanwhile is kept for the next park.
pub(crate) fn park_timeout(timeout: Duration) {
    let micros = timeout.as_nanos().div_ceil(1000) as u64;
    ELAPSED.fetch_add(micros, Ordering::Relaxed);
    loom::thread::yield_now();
}
