//! Locks for tests: std's. Under ThreadSanitizer, which cannot see through those, parking_lot's.
#![allow(dead_code, unused_imports)] // Each test uses its own part of it.

#[cfg(not(kamon_tsan))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(kamon_tsan)]
pub(crate) use seen::{Condvar, Mutex, MutexGuard};

/// The same methods. None of them fails: there is no poison.
#[cfg(kamon_tsan)]
mod seen {
    use std::sync::LockResult;

    pub(crate) use parking_lot::MutexGuard;

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Mutex(parking_lot::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            Ok(self.0.lock())
        }

        pub(crate) fn get_mut(&mut self) -> LockResult<&mut T> {
            Ok(self.0.get_mut())
        }

        pub(crate) fn into_inner(self) -> LockResult<T> {
            Ok(self.0.into_inner())
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(parking_lot::Condvar);

    impl Condvar {
        pub(crate) fn new() -> Self {
            Condvar::default()
        }

        pub(crate) fn wait<'a, T>(
            &self,
            mut guard: MutexGuard<'a, T>,
        ) -> LockResult<MutexGuard<'a, T>> {
            self.0.wait(&mut guard);
            Ok(guard)
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }
    }
}
