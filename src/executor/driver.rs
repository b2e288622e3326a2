//! What a sleeping worker waits in: the outside world, or nothing but the clock.

use std::io;
use std::time::Duration;

use crate::sync;
use crate::sync::thread::{self, Thread};

/// The outside world of a runtime: sockets, signals, another library's timers.
///
/// At most one thread at a time is inside [`park`](Self::park) or [`poll`](Self::poll); the
/// runtime sees to that.
pub(crate) trait Driver: Send + Sync {
    /// Makes the driver the current one of this thread until the token is dropped.
    fn enter(&self) -> Box<dyn Token + '_>;

    /// Waits until something happened that makes `interrupted` true, until
    /// [`unpark`](Self::unpark), or until `timeout`. May return early.
    ///
    /// # Panics
    ///
    /// As does [`poll`](Self::poll), where this thread polls somebody else's tasks, which must not be blocked by a
    /// wait of this kind. Then nothing has happened.
    fn park(&self, timeout: Option<Duration>, interrupted: &dyn Fn() -> bool);

    /// Looks once at what has happened, without waiting.
    fn poll(&self);

    /// Whether a panic has come out of it and it does nothing any more: the runtime is to end.
    fn is_broken(&self) -> bool {
        false
    }

    /// Ends the `park` that `thread` is in, or its next one.
    fn unpark(&self, thread: Option<&Thread>);

    /// Closes the driver. What is registered with it gets errors from now on.
    fn shutdown(&self, timeout: Option<Duration>);
}

/// What [`Driver::enter`] gives: something to hold on to.
pub(crate) trait Token {}

impl<T> Token for T {}

/// What a driver is built with.
#[allow(dead_code)] // A driver reads what it has a use for.
pub(crate) struct DriverOptions {
    /// The most threads that the driver's own blocking pool may have.
    pub(crate) max_blocking_threads: usize,
    pub(crate) thread_name: crate::sync::Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) max_io_events: usize,
    /// The most events of a look without waiting, if another number.
    pub(crate) max_io_events_busy: Option<usize>,
}

/// Makes the driver of a runtime without an outside world.
///
/// # Errors
///
/// None; other drivers have them.
#[allow(dead_code)] // Unused where another driver is compiled in.
pub(crate) fn make_thread_driver(_options: &DriverOptions) -> io::Result<Box<dyn Driver>> {
    Ok(Box::new(ThreadDriver))
}

/// Waiting for nothing but the clock and other threads.
pub(crate) struct ThreadDriver;

impl Driver for ThreadDriver {
    fn enter(&self) -> Box<dyn Token + '_> {
        Box::new(())
    }

    fn park(&self, timeout: Option<Duration>, interrupted: &dyn Fn() -> bool) {
        let Some(timeout) = timeout else {
            while !interrupted() {
                thread::park();
            }
            return;
        };
        let start = sync::now();
        while !interrupted() {
            match timeout.checked_sub(sync::now() - start) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return,
            }
        }
    }

    fn poll(&self) {}

    fn unpark(&self, thread: Option<&Thread>) {
        if let Some(thread) = thread {
            thread.unpark();
        }
    }

    fn shutdown(&self, _timeout: Option<Duration>) {}
}
