//! A metric: all instruments of one name and kind.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use crate::metrics::about::{About, Kind};
use crate::metrics::counter::Counter;
use crate::metrics::registry::{self, Leftovers};
use crate::metrics::series::{Cell, Series};
use crate::metrics::tags::Tags;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex};

/// How many instruments a metric has unless it is told otherwise.
pub const DEFAULT_SERIES_LIMIT: usize = 1000;

/// The tag of the instrument that takes what there was no room for.
pub(crate) const OVERFLOW_TAG: &str = "kamon.overflow";
/// Counts how often there was no room.
pub(crate) const OVERFLOWS: &str = "kamon.metrics.overflows";

/// All instruments of one name and kind.
#[derive(Debug)]
pub(crate) struct Metric<C> {
    about: Arc<About>,
    limit: AtomicUsize,
    overflows: OnceLock<Counter>,
    // Taken before the registry's roster. No user code runs under it.
    series: Mutex<All<C>>,
}

type All<C> = HashMap<Tags, Arc<Series<C>>>;

impl<C: Cell> Metric<C> {
    pub(crate) fn new(name: Cow<'static, str>, kind: Kind) -> Arc<Metric<C>> {
        Arc::new(Metric {
            about: Arc::new(About::new(name, kind)),
            limit: AtomicUsize::new(DEFAULT_SERIES_LIMIT),
            overflows: OnceLock::new(),
            series: Mutex::new(HashMap::new()),
        })
    }

    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// The instrument with these tags; a new one, if there is room, else the one for what there is
    /// no room for.
    pub(crate) fn series(&self, tags: &Tags) -> Arc<Series<C>> {
        let mut all = self.series.lock();
        if let Some(series) = all.get(tags) {
            return series.clone();
        }
        let overflow = Tags::empty().with(OVERFLOW_TAG, true);
        let others = all.len() - usize::from(all.contains_key(&overflow));
        if *tags == overflow || others < self.limit.load(Ordering::Relaxed) {
            let (series, leftovers) = self.add(&mut all, tags.clone());
            drop(all);
            drop(leftovers);
            return series;
        }
        let (series, leftovers) = match all.get(&overflow) {
            Some(series) => (series.clone(), Leftovers::default()),
            None => self.add(&mut all, overflow),
        };
        drop(all);
        drop(leftovers);
        // Not of itself: that would be endless.
        if self.about.name() != OVERFLOWS {
            self.count_overflow();
        }
        series
    }

    /// Takes the instrument with these tags out. Who has its handle records into nothing.
    pub(crate) fn remove(&self, tags: &Tags) -> bool {
        let mut all = self.series.lock();
        let Some(series) = all.remove(tags) else {
            return false;
        };
        registry::leave(&(series.clone() as _));
        series.remove();
        // With it may go what it observed, which is the user's.
        drop(all);
        drop(series);
        true
    }

    #[cold]
    fn count_overflow(&self) {
        let overflows = match self.overflows.get() {
            Some(overflows) => overflows,
            None => {
                let name = self.about.name().to_owned();
                let overflows = registry::counter(OVERFLOWS)
                    .with_description("tags for which a metric had no more room")
                    .with_tag("metric", name);
                self.overflows.get_or_init(|| overflows)
            }
        };
        overflows.increment();
    }

    fn add(&self, all: &mut All<C>, tags: Tags) -> (Arc<Series<C>>, Leftovers) {
        let series = Series::new(self.about.clone(), tags.clone());
        all.insert(tags, series.clone());
        let leftovers = registry::join(series.clone());
        (series, leftovers)
    }
}
