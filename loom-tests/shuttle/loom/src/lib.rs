//! loom's interface over shuttle, as far as kamon's `sync` room uses it: the code that loom explores
//! runs here unchanged.
//!
//! shuttle knows one order of all atomic accesses, whatever ordering they ask for.

pub use shuttle::{lazy_static, thread_local};

/// Locks and atomics.
pub mod sync {
    pub use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};

    /// Atomics.
    pub mod atomic {
        pub use shuttle::sync::atomic::{
            fence, AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicU8, AtomicUsize, Ordering,
        };
    }
}

/// A cell with loom's methods. Nothing is checked: an access is not a step.
pub mod cell {
    /// See [`std::cell::UnsafeCell`].
    #[derive(Debug)]
    pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        /// Makes a cell.
        pub fn new(value: T) -> Self {
            UnsafeCell(std::cell::UnsafeCell::new(value))
        }

        /// Hands out a pointer to read through.
        pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// Hands out a pointer to write through.
        pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }

        /// Takes the value out.
        pub fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

/// Threads.
pub mod thread {
    use std::io;

    pub use shuttle::thread::{current, spawn, yield_now, JoinHandle, Thread, ThreadId};

    /// Starts a thread.
    #[derive(Debug, Default)]
    pub struct Builder(shuttle::thread::Builder);

    impl Builder {
        /// Makes a builder.
        pub fn new() -> Self {
            Builder(shuttle::thread::Builder::new())
        }

        /// Names the thread.
        pub fn name(self, name: String) -> Self {
            Builder(self.0.name(name))
        }

        /// All threads have the stack that shuttle is configured with.
        pub fn stack_size(self, _words: usize) -> Self {
            self
        }

        /// Starts it.
        pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            self.0.spawn(f)
        }
    }
}
