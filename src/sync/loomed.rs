//! The loom half of the facade.
//!
//! loom 0.7.2 skips interleavings where one thread loads and then stores or swaps the same atomic
//! (tokio-rs/loom issues 166 and 392). Each atomic here therefore touches a *shadow* atomic
//! before every access: a dependent operation that makes a branch point and, being relaxed,
//! no happens-before edge. The litmus tests in `loom-tests` show that no weak outcome is hidden.

/// Atomics with a shadow point before every access.
pub(crate) mod atomic {
    #![allow(dead_code)]
    pub(crate) use loom::sync::atomic::{fence, Ordering};
    use Ordering::Relaxed;

    macro_rules! shadowed {
        ($name:ident, $inner:ident, $ty:ty) => {
            #[derive(Debug)]
            pub(crate) struct $name {
                value: loom::sync::atomic::$inner,
                shadow: loom::sync::atomic::AtomicUsize,
            }

            impl $name {
                pub(crate) fn new(value: $ty) -> Self {
                    $name {
                        value: loom::sync::atomic::$inner::new(value),
                        shadow: loom::sync::atomic::AtomicUsize::new(0),
                    }
                }

                #[track_caller]
                fn point(&self) {
                    self.shadow.fetch_add(1, Relaxed);
                }

                #[track_caller]
                pub(crate) fn load(&self, order: Ordering) -> $ty {
                    self.point();
                    self.value.load(order)
                }

                #[track_caller]
                pub(crate) fn store(&self, value: $ty, order: Ordering) {
                    self.point();
                    self.value.store(value, order);
                }

                #[track_caller]
                pub(crate) fn swap(&self, value: $ty, order: Ordering) -> $ty {
                    self.point();
                    self.value.swap(value, order)
                }

                #[track_caller]
                pub(crate) fn compare_exchange(
                    &self,
                    current: $ty,
                    new: $ty,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$ty, $ty> {
                    self.point();
                    self.value.compare_exchange(current, new, success, failure)
                }

                #[track_caller]
                pub(crate) fn compare_exchange_weak(
                    &self,
                    current: $ty,
                    new: $ty,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$ty, $ty> {
                    self.point();
                    self.value.compare_exchange(current, new, success, failure)
                }
            }
        };
    }

    macro_rules! shadowed_integer {
        ($name:ident, $inner:ident, $ty:ty) => {
            shadowed!($name, $inner, $ty);
            shadowed_integer!(@ops $name, $ty, fetch_add fetch_sub fetch_or fetch_and fetch_max);

            impl Default for $name {
                fn default() -> Self {
                    Self::new(0)
                }
            }
        };
        (@ops $name:ident, $ty:ty, $($op:ident)*) => {
            impl $name {
                $(
                    #[track_caller]
                    pub(crate) fn $op(&self, value: $ty, order: Ordering) -> $ty {
                        self.point();
                        self.value.$op(value, order)
                    }
                )*
            }
        };
    }

    shadowed_integer!(AtomicUsize, AtomicUsize, usize);
    shadowed_integer!(AtomicU64, AtomicU64, u64);
    shadowed_integer!(AtomicU8, AtomicU8, u8);
    shadowed_integer!(AtomicU32, AtomicU32, u32);
    shadowed!(AtomicBool, AtomicBool, bool);

    /// The pointer version is generic, so it stands apart from the macro.
    #[derive(Debug)]
    pub(crate) struct AtomicPtr<T> {
        value: loom::sync::atomic::AtomicPtr<T>,
        shadow: loom::sync::atomic::AtomicUsize,
    }

    impl<T> AtomicPtr<T> {
        pub(crate) fn new(value: *mut T) -> Self {
            AtomicPtr {
                value: loom::sync::atomic::AtomicPtr::new(value),
                shadow: loom::sync::atomic::AtomicUsize::new(0),
            }
        }

        #[track_caller]
        pub(crate) fn load(&self, order: Ordering) -> *mut T {
            self.shadow.fetch_add(1, Relaxed);
            self.value.load(order)
        }

        #[track_caller]
        pub(crate) fn store(&self, value: *mut T, order: Ordering) {
            self.shadow.fetch_add(1, Relaxed);
            self.value.store(value, order);
        }

        #[track_caller]
        pub(crate) fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
            self.shadow.fetch_add(1, Relaxed);
            self.value.swap(value, order)
        }

        #[track_caller]
        pub(crate) fn compare_exchange(
            &self,
            current: *mut T,
            new: *mut T,
            success: Ordering,
            failure: Ordering,
        ) -> Result<*mut T, *mut T> {
            self.shadow.fetch_add(1, Relaxed);
            self.value.compare_exchange(current, new, success, failure)
        }
    }
}

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(crate) use loom::sync::MutexGuard;

/// loom's mutex, poisoning ignored.
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[allow(dead_code)]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex(loom::sync::Mutex::new(value))
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    #[track_caller]
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn into_inner(self) -> T {
        self.0
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

pub(crate) use std::sync::MutexGuard as StaticMutexGuard;

/// A lock for statics: std's, because loom's cannot outlive an execution, with a point before it
/// where another thread may come first. What it guards must not wait for anything.
#[derive(Debug)]
pub(crate) struct StaticMutex<T>(std::sync::Mutex<T>);

loom::lazy_static! {
    static ref POINT: loom::sync::atomic::AtomicUsize = loom::sync::atomic::AtomicUsize::new(0);
}

impl<T> StaticMutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        StaticMutex(std::sync::Mutex::new(value))
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> StaticMutexGuard<'_, T> {
        if thread::in_execution() {
            // Ordering: acquire and release, as a lock has.
            POINT.fetch_add(1, atomic::Ordering::AcqRel);
        }
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// loom's condition variable. Its timed wait never times out: models fire timers by hand.
#[derive(Debug, Default)]
pub(crate) struct Condvar(loom::sync::Condvar);

#[allow(dead_code)]
impl Condvar {
    pub(crate) fn new() -> Self {
        Condvar(loom::sync::Condvar::new())
    }

    #[track_caller]
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0
            .wait(guard)
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    #[track_caller]
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _timeout: Duration,
    ) -> MutexGuard<'a, T> {
        self.wait(guard)
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// loom's checked cell.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(loom::cell::UnsafeCell<T>);

#[allow(dead_code)]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> Self {
        UnsafeCell(loom::cell::UnsafeCell::new(value))
    }

    #[track_caller]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.0.with(f)
    }

    #[track_caller]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// loom's thread-local: one per model thread. A real one would be a single slot for all of them,
/// because loom runs its threads on one thread of the system.
macro_rules! tls {
    ($(#[$meta:meta])* $vis:vis static $name:ident: $ty:ty = $init:expr;) => {
        loom::thread_local! {
            $(#[$meta])* $vis static $name: $ty = $init;
        }
    };
}
pub(crate) use tls;

/// A static whose value goes at the end of each execution.
macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $ty:ty = $init:expr;) => {
        loom::lazy_static! {
            $(#[$meta])* static ref $name: $ty = $init;
        }
    };
}
pub(crate) use global;

/// Called in loops that wait for another thread to take its next step.
#[allow(dead_code)]
pub(crate) fn spin() {
    loom::thread::yield_now();
}

/// The same, where the other thread may have lost its processor to this one.
pub(crate) fn give_way() {
    spin();
}

/// How many of something to have where `number` is right: one, because each multiplies what there
/// is to explore.
pub(crate) const fn scaled(_number: usize) -> usize {
    1
}

/// A mark that a value is alive, counted by its kind.
#[derive(Debug)]
pub(crate) struct Living(&'static str);

std::thread_local! {
    // loom runs all threads of a model on one thread of the system.
    static LIVING: RefCell<BTreeMap<&'static str, usize>> = const { RefCell::new(BTreeMap::new()) };
}

/// A plain counter that any number of threads add to: of no interest to a model.
#[derive(Debug, Default)]
pub(crate) struct Count(std::sync::atomic::AtomicU64);

impl Count {
    pub(crate) fn one_more(&self) {
        self.0.fetch_add(1, atomic::Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(atomic::Ordering::Relaxed)
    }
}

impl Living {
    pub(crate) fn new(what: &'static str) -> Living {
        LIVING.with(|living| *living.borrow_mut().entry(what).or_default() += 1);
        Living(what)
    }

    /// What is alive, and how many of it.
    #[allow(dead_code)] // Models ask, at their end.
    pub(crate) fn census() -> Vec<(&'static str, usize)> {
        LIVING.with(|living| {
            let living = living.borrow();
            living
                .iter()
                .filter(|(_, count)| **count > 0)
                .map(|(what, count)| (*what, *count))
                .collect()
        })
    }

    /// Forgets everything, where a model starts anew.
    #[allow(dead_code)] // Models call it.
    pub(crate) fn forget() {
        LIVING.with(|living| living.borrow_mut().clear());
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        LIVING.with(|living| *living.borrow_mut().entry(self.0).or_insert(1) -= 1);
    }
}

loom::lazy_static! {
    /// How many microseconds of the model's time have gone by.
    static ref ELAPSED: atomic::AtomicU64 = atomic::AtomicU64::new(0);
}

/// The present of the model. It moves when somebody sleeps until a deadline, by as much.
#[allow(dead_code)]
pub(crate) fn now() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    // Ordering: a clock; what happens at a time is ordered by whoever waits for it.
    let elapsed = ELAPSED.load(atomic::Ordering::Relaxed);
    *START.get_or_init(Instant::now) + Duration::from_micros(elapsed)
}

pub(crate) mod thread;
