//! The std half of the facade.

/// Atomics.
pub(crate) mod atomic {
    #![allow(unused_imports)] // Which of these are in use depends on the features.
    pub(crate) use std::sync::atomic::{fence, Ordering};
    pub(crate) use std::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicU8, AtomicUsize,
    };
}

#[cfg(not(kamon_tsan))]
mod lock {
    use std::sync::PoisonError;
    use std::time::Duration;

    pub(crate) use std::sync::MutexGuard;

    /// A mutex that a panic does not poison: what it guards is valid at every instant.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

    #[allow(dead_code)] // Which of these are in use depends on the features.
    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Mutex(std::sync::Mutex::new(value))
        }

        #[inline]
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        #[inline]
        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(guard) => Some(guard),
                Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(std::sync::TryLockError::WouldBlock) => None,
            }
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// A condition variable for [`Mutex`].
    #[derive(Debug, Default)]
    pub(crate) struct Condvar(std::sync::Condvar);

    #[allow(dead_code)] // Which of these are in use depends on the features.
    impl Condvar {
        pub(crate) const fn new() -> Self {
            Condvar(std::sync::Condvar::new())
        }

        pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
            self.0.wait(guard).unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            timeout: Duration,
        ) -> MutexGuard<'a, T> {
            match self.0.wait_timeout(guard, timeout) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            }
        }

        pub(crate) fn notify_one(&self) {
            self.0.notify_one();
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }
}

#[cfg(kamon_tsan)]
use super::tsan as lock;
pub(crate) use lock::{Condvar, Mutex, MutexGuard};

/// [`std::cell::UnsafeCell`] with loom's access methods.
#[derive(Debug, Default)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[allow(dead_code)] // Which of these are in use depends on the features.
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// Declares a thread-local that is built in a constant and needs no destructor, so that it can be
/// read at any time in a thread's life, its very end included.
macro_rules! tls {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $ty:ty = $init:expr;) => {
        thread_local! {
            $(#[$meta])* $vis static $name: $ty = const { $init };
        }
    };
}
pub(crate) use tls;

/// Declares a static that is built in a constant, and in a model anew in each execution.
macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
        $(#[$meta])* static $name: $ty = $init;
    };
}
pub(crate) use global;

/// Called in loops that wait for another thread to take its next step.
#[allow(dead_code)]
#[inline]
pub(crate) fn spin() {
    std::hint::spin_loop();
}

/// The same, where the other thread may have lost its processor to this one.
#[inline]
pub(crate) fn give_way() {
    std::thread::yield_now();
}

/// A plain counter that any number of threads add to without meeting.
#[derive(Debug, Default)]
pub(crate) struct Count(crate::sync::sums::Sum);

impl Count {
    #[inline]
    pub(crate) fn one_more(&self) {
        self.0.add(crate::sync::seat::Seat::here(), 1);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.read()
    }
}

/// A mark that a value is alive; models count them, nobody else does.
#[derive(Debug)]
pub(crate) struct Living;

impl Living {
    #[inline(always)]
    pub(crate) const fn new(_what: &'static str) -> Living {
        Living
    }
}

/// How many of something to have where `number` is right: so many.
pub(crate) const fn scaled(number: usize) -> usize {
    number
}

/// The present, for whatever waits until a deadline.
#[inline]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// Starting threads and parking them.
pub(crate) mod thread {
    #![allow(unused_imports)] // Which of these are in use depends on the features.
    use std::cell::Cell;

    pub(crate) use std::thread::{current, park, park_timeout, Builder, JoinHandle, Thread};

    use super::tls;
    use crate::sync::statics::{AtomicUsize, Ordering};

    tls! {
        /// One more than this thread's number; zero while it has none.
        static NUMBER: Cell<usize> = Cell::new(0);
    }

    /// A small number that tells threads apart and spreads them over shards.
    #[inline]
    pub(crate) fn number() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        NUMBER.with(|number| {
            if number.get() == 0 {
                number.set(NEXT.fetch_add(1, Ordering::Relaxed));
            }
            number.get() - 1
        })
    }
}
