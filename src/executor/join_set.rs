//! Spawning into a `JoinSet`: the half of it that needs an executor.

use std::future::Future;

use crate::executor::local::{spawn_on_set, LocalSet};
use crate::executor::runtime::Handle;
use crate::executor::spawn::{spawn, spawn_blocking};
use crate::task::{AbortHandle, JoinSet};

impl<T: 'static> JoinSet<T> {
    /// Spawns a future on the current runtime and takes it into the set.
    ///
    /// It inherits the Context that is current now, and runs even if nobody joins it.
    ///
    /// # Panics
    ///
    /// As [`kamon::spawn`](crate::spawn) does.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(spawn(future))
    }

    /// Spawns a future on the given runtime and takes it into the set.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, future: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(future))
    }

    /// Spawns a future on the current [`LocalSet`] and takes it into the set.
    ///
    /// # Panics
    ///
    /// As [`spawn_local`](crate::task::spawn_local) does.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(spawn_on_set(future))
    }

    /// Spawns a future on the given [`LocalSet`] and takes it into the set.
    ///
    /// Nothing runs until the local set is polled, even if the join set is.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, future: F, local: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local.spawn_local(future))
    }

    /// Runs a closure on a thread of the current runtime that may block, and takes it into the set.
    ///
    /// # Panics
    ///
    /// As [`kamon::spawn_blocking`](crate::spawn_blocking) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::task::JoinSet;
    ///
    /// kamon::block_on(async {
    ///     let mut set = JoinSet::new();
    ///     set.spawn_blocking(|| 6 * 7);
    ///     assert_eq!(set.join_next().await.unwrap().unwrap(), 42);
    /// });
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(spawn_blocking(f))
    }

    /// Runs a closure on a thread of the given runtime that may block, and takes it into the set.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }
}

/// Spawns all the futures on the current runtime.
///
/// # Examples
///
/// ```
/// use kamon::task::JoinSet;
///
/// kamon::block_on(async {
///     let set: JoinSet<u32> = (0..4).map(|number| async move { number }).collect();
///     assert_eq!(set.join_all().await.iter().sum::<u32>(), 6);
/// });
/// ```
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        set.extend(futures);
        set
    }
}

/// Spawns all the futures on the current runtime.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}
