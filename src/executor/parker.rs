//! How a thread sleeps until it is woken, inside the driver or out of it.

use std::time::Duration;

use crate::executor::driver::Driver;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::thread::{self, Thread};
use crate::sync::Mutex;

/// One thread's place to sleep. A wake that comes early is kept.
pub(crate) struct Parker {
    state: AtomicUsize,
    /// The thread that sleeps here: the worker's own, until `block_in_place` hands over.
    thread: Mutex<Option<Thread>>,
}

/// Awake, and nobody has called.
const EMPTY: usize = 0;
/// Asleep, to be woken as a thread.
const PARKED: usize = 1;
/// Asleep inside the driver, to be woken through it.
const DRIVING: usize = 2;
/// Called: the next sleep ends at once.
const NOTIFIED: usize = 3;

impl Parker {
    pub(crate) fn new() -> Parker {
        Parker {
            state: AtomicUsize::new(EMPTY),
            thread: Mutex::new(None),
        }
    }

    /// Says that it is this thread that will sleep here.
    pub(crate) fn attach(&self) {
        *self.thread.lock() = Some(thread::current());
    }

    /// Sleeps until woken, or for `limit` if there is one.
    pub(crate) fn park_for(&self, limit: Option<Duration>) {
        let Some(limit) = limit else {
            return self.park();
        };
        if self.lie_down(PARKED) {
            thread::park_timeout(limit);
            // Ordering: acquire; pairs with the release in `unpark`.
            self.state.swap(EMPTY, Ordering::AcqRel);
        }
    }

    /// Sleeps until woken.
    pub(crate) fn park(&self) {
        if !self.lie_down(PARKED) {
            return;
        }
        // A thread may be woken without reason, so only the state counts.
        while !self.take_notification() {
            thread::park();
        }
    }

    /// Sleeps inside the driver until woken, until `timeout`, or until `interrupted`, which is
    /// asked after whatever happened there.
    pub(crate) fn park_driving(
        &self,
        driver: &dyn Driver,
        timeout: Option<Duration>,
        interrupted: &dyn Fn() -> bool,
    ) {
        if !self.lie_down(DRIVING) {
            return;
        }
        driver.park(timeout, &|| self.is_notified() || interrupted());
        // Ordering: acquire; pairs with the release in `unpark`.
        self.state.swap(EMPTY, Ordering::AcqRel);
    }

    /// Wakes the thread, or makes its next sleep end at once.
    pub(crate) fn unpark(&self, driver: &dyn Driver) {
        // Ordering: release what was done before the call to the thread that wakes; acquire so
        // that the state it left when it lay down is what we act on.
        match self.state.swap(NOTIFIED, Ordering::AcqRel) {
            PARKED => {
                // The clone lets the lock go before the system call.
                let thread = self.thread.lock().clone();
                if let Some(thread) = thread {
                    thread.unpark();
                }
            }
            DRIVING => {
                let thread = self.thread.lock().clone();
                driver.unpark(thread.as_ref());
            }
            _ => {}
        }
    }

    pub(crate) fn is_notified(&self) -> bool {
        // Ordering: acquire; pairs with the release in `unpark`.
        self.state.load(Ordering::Acquire) == NOTIFIED
    }

    /// Moves from awake to `state`, unless there was a call, which is consumed.
    fn lie_down(&self, state: usize) -> bool {
        // Ordering: acquire on failure pairs with the release in `unpark`; release on success
        // publishes the attached thread.
        match self
            .state
            .compare_exchange(EMPTY, state, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => true,
            Err(_) => {
                // Ordering: acquire; pairs with the release in `unpark`.
                self.state.swap(EMPTY, Ordering::AcqRel);
                false
            }
        }
    }

    fn take_notification(&self) -> bool {
        // Ordering: acquire; pairs with the release in `unpark`.
        self.state
            .compare_exchange(NOTIFIED, EMPTY, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}
