//! Numbers that are kept elsewhere, and asked for when a snapshot is taken.

use std::fmt;

use crate::context::contain::{contain, discard, quietly};
use crate::sync::{Arc, Mutex};

/// Keeps an instrument asking for a number that is kept elsewhere.
///
/// Dropping it asks for the last time. [`Observation::forever`] lets go of it without that.
///
/// # Examples
///
/// ```
/// use kamon::metrics;
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// let mut subscription = metrics::subscribe("queue.size", Duration::from_secs(60));
/// let queue = Arc::new(Mutex::new(vec![1, 2, 3]));
/// let observed = Arc::downgrade(&queue);
/// let size = move || observed.upgrade().map_or(0, |queue| queue.lock().unwrap().len());
///
/// let observation = metrics::gauge("queue.size").observe(move || size() as f64);
/// assert_eq!(subscription.snapshot().gauge("queue.size"), Some(3.0));
/// drop(observation);
/// assert_eq!(subscription.snapshot().gauge("queue.size"), Some(0.0));
/// ```
#[must_use = "dropping it ends the observation"]
pub struct Observation {
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Observation {
    pub(crate) fn new(end: impl FnOnce() + Send + Sync + 'static) -> Observation {
        Observation {
            end: Some(Box::new(end)),
        }
    }

    /// Observes for as long as the process runs.
    pub fn forever(mut self) {
        self.end = None;
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation").finish_non_exhaustive()
    }
}

/// Where an instrument asks. Several sources are added up by whoever asks.
pub(crate) struct Sources<T> {
    // Held while the sources answer, which are therefore told not to come back here: so that the
    // last answer of one that goes is counted once.
    all: Mutex<Vec<Source<T>>>,
}

struct Source<T> {
    key: Arc<()>,
    /// There until the source is dropped.
    read: Option<Box<dyn Fn() -> T + Send + Sync>>,
    last: T,
}

/// Names one source.
pub(crate) struct SourceKey(Arc<()>);

impl<T: Copy + Default> Sources<T> {
    pub(crate) fn add(&self, read: impl Fn() -> T + Send + Sync + 'static) -> SourceKey {
        let key = Arc::new(());
        self.all.lock().push(Source {
            key: key.clone(),
            read: Some(Box::new(read)),
            last: T::default(),
        });
        SourceKey(key)
    }

    /// Hands what the sources answer to `of_all`, while none of them can go. What one has answered
    /// before goes to `of_one` with what it answers now, and is kept if it panics.
    pub(crate) fn ask<R>(
        &self,
        of_one: impl Fn(T, T) -> T,
        of_all: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
    ) -> R {
        let mut all = self.all.lock();
        of_all(&mut all.iter_mut().map(|source| source.ask(&of_one)))
    }

    /// Takes a source out. Its last answer goes to `keep` before anybody asks again.
    pub(crate) fn end(&self, key: &SourceKey, of_one: impl Fn(T, T) -> T, keep: impl FnOnce(T)) {
        let mut all = self.all.lock();
        let Some(at) = all.iter().position(|one| Arc::ptr_eq(&one.key, &key.0)) else {
            return;
        };
        let mut source = all.swap_remove(at);
        keep(source.ask(&of_one));
        drop(all);
        drop(source);
    }
}

impl<T: Copy> Source<T> {
    fn ask(&mut self, of_one: impl Fn(T, T) -> T) -> T {
        let read = self.read.as_ref();
        if let Some(now) = read.and_then(|read| contain(read).map_err(discard).ok()) {
            self.last = of_one(self.last, now);
        }
        self.last
    }
}

impl<T> Drop for Source<T> {
    /// Whoever is the last to know the instrument drops what is the user's: a reporter's thread,
    /// say, which must not end with it.
    fn drop(&mut self) {
        let read = self.read.take();
        quietly(|| drop(read));
    }
}

impl<T> Default for Sources<T> {
    fn default() -> Self {
        Sources {
            all: Mutex::new(Vec::new()),
        }
    }
}

impl<T> fmt::Debug for Sources<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}
