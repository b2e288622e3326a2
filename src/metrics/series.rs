//! One instrument: a metric, its tags, and the number that grows.

use crate::metrics::about::About;
use crate::metrics::snapshot::{InstrumentSnapshot, Value};
use crate::metrics::tags::Tags;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::Arc;

/// What an instrument records into, and how a reader learns what is new.
pub(crate) trait Cell: Default + Send + Sync + 'static {
    /// What one reader has seen of it. The default has seen nothing.
    type Seen: Default + Send + 'static;

    /// What was recorded since the reader last looked.
    fn read(&self, seen: &mut Self::Seen) -> Value;

    /// Notes how far a changing number went.
    fn sample(&self) {}
}

/// An instrument, shared by its handles, its metric and those who read it.
#[derive(Debug)]
pub(crate) struct Series<C> {
    about: Arc<About>,
    tags: Tags,
    removed: AtomicBool,
    pub(crate) cell: C,
}

impl<C: Cell> Series<C> {
    pub(crate) fn new(about: Arc<About>, tags: Tags) -> Arc<Series<C>> {
        Arc::new(Series {
            about,
            tags,
            removed: AtomicBool::new(false),
            cell: C::default(),
        })
    }

    /// Readers look once more and no longer. What comes before this call, they see.
    pub(crate) fn remove(&self) {
        // Ordering: Release pairs with the Acquire in `collect`, so that a reader who finds the
        // flag finds everything recorded before it.
        self.removed.store(true, Ordering::Release);
    }
}

/// A [`Series`] of any kind.
pub(crate) trait AnySeries: Send + Sync {
    fn about(&self) -> &About;
    fn tags(&self) -> &Tags;
    fn is_removed(&self) -> bool;

    /// Notes how far a changing number went.
    fn sample(&self);

    /// Watches it from here on.
    fn watch_from_now(self: Arc<Self>) -> Box<dyn Watch>;

    /// Watches it from its beginning.
    fn watch_from_zero(self: Arc<Self>) -> Box<dyn Watch>;
}

impl<C: Cell> AnySeries for Series<C> {
    fn about(&self) -> &About {
        &self.about
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    fn sample(&self) {
        self.cell.sample();
    }

    fn watch_from_now(self: Arc<Self>) -> Box<dyn Watch> {
        let mut watching = Watching {
            series: self,
            seen: C::Seen::default(),
        };
        watching.series.cell.sample();
        watching.series.cell.read(&mut watching.seen);
        Box::new(watching)
    }

    fn watch_from_zero(self: Arc<Self>) -> Box<dyn Watch> {
        Box::new(Watching {
            series: self,
            seen: C::Seen::default(),
        })
    }
}

/// One reader's view of one series.
pub(crate) trait Watch: Send {
    /// What was recorded since the last time, and whether this was the last time.
    fn collect(&mut self) -> Collected;

    /// Samples it, if it wants that.
    fn sample(&self);
}

/// What a reader takes from a series.
pub(crate) struct Collected {
    pub(crate) snapshot: InstrumentSnapshot,
    /// The series was removed: there is nothing more to come.
    pub(crate) is_last: bool,
}

struct Watching<C: Cell> {
    series: Arc<Series<C>>,
    seen: C::Seen,
}

impl<C: Cell> Watch for Watching<C> {
    fn collect(&mut self) -> Collected {
        // Ordering: before the values are read; Acquire pairs with the Release in `remove`.
        let is_last = self.series.removed.load(Ordering::Acquire);
        self.series.cell.sample();
        let value = self.series.cell.read(&mut self.seen);
        let (about, tags) = (self.series.about.clone(), self.series.tags.clone());
        Collected {
            snapshot: InstrumentSnapshot::new(about, tags, value),
            is_last,
        }
    }

    fn sample(&self) {
        self.series.cell.sample();
    }
}
