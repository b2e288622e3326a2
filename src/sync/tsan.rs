//! What the build under ThreadSanitizer has in place of std's, which is not instrumented.
//!
//! ThreadSanitizer goes by what instrumented code does. It sees neither the slow paths of std's futex
//! locks nor any `fence`, and would take what they order for races. So the locks here are
//! parking_lot's, which is compiled from source, and the last one to let go of an `Arc` acquires what
//! the others released by an access instead of std's fence.

use std::ffi::{c_int, c_void};
use std::time::Duration;

pub(crate) use parking_lot::MutexGuard;

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(parking_lot::Mutex<T>);

#[allow(dead_code)]
impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Mutex(parking_lot::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock()
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock()
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(parking_lot::Condvar);

#[allow(dead_code)]
impl Condvar {
    pub(crate) const fn new() -> Self {
        Condvar(parking_lot::Condvar::new())
    }

    pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(&mut guard);
        guard
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> MutexGuard<'a, T> {
        self.0.wait_for(&mut guard, timeout);
        guard
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// C11's `memory_order_release`, as the sanitizer's runtime numbers it.
const RELEASE: c_int = 3;

extern "C" {
    #[link_name = "__real___tsan_atomic64_fetch_sub"]
    fn fetch_sub(count: *mut u64, by: u64, order: c_int) -> u64;
    #[link_name = "__tsan_acquire"]
    fn acquire(count: *mut c_void);
}

/// What instrumented code calls for `fetch_sub`; the linker puts it in the place of the runtime's own
/// (`--wrap`, which `cargo xtask tsan` asks for).
///
/// std's `Arc` takes one off its count with release and, if that was the last one, acquires by a
/// fence. In a std that is built for the sanitizer it does so by a load of the count, and this adds
/// the like of it. Who is not the last one acquires nothing. A count of our own that forgot to
/// acquire would go unnoticed here; that is for the models to find (mutant `counts_without_acquire`).
///
/// # Safety
///
/// As for the runtime's function: `count` is an atomic that may be accessed.
#[no_mangle]
unsafe extern "C" fn __wrap___tsan_atomic64_fetch_sub(
    count: *mut u64,
    by: u64,
    order: c_int,
) -> u64 {
    // SAFETY: handed down from the caller.
    let before = unsafe { fetch_sub(count, by, order) };
    if order == RELEASE && before == by {
        // SAFETY: the runtime looks up what it knows of the address and does not read from it: who
        // was the last one frees it, and that is us.
        unsafe { acquire(count.cast()) };
    }
    before
}
