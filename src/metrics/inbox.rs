//! Where a subscriber finds the instruments that are new to it.

use crate::metrics::filter::Filter;
use crate::metrics::series::AnySeries;
use crate::sync::{Arc, Mutex};

/// The instruments that came since the subscriber last looked.
#[derive(Debug)]
pub(crate) struct Inbox {
    filter: Filter,
    // Taken after the registry's roster. No user code runs under it.
    fresh: Mutex<Fresh>,
}

struct Fresh {
    series: Vec<Arc<dyn AnySeries>>,
    /// At this length those are looked for that went again.
    full: usize,
    lost: u64,
}

/// As many may come and go between two looks without any being lost.
pub(crate) const MOST_UNSEEN: usize = 4096;

impl Inbox {
    pub(crate) fn new(filter: Filter) -> Arc<Inbox> {
        Arc::new(Inbox {
            filter,
            fresh: Mutex::new(Fresh::new()),
        })
    }

    /// Whether the subscriber wants to know of the series.
    pub(crate) fn wants(&self, series: &dyn AnySeries) -> bool {
        self.filter.matches(series.about().name(), series.tags())
    }

    /// Adds a series, if the subscriber wants to know of it. Returns those that were given up, to
    /// be dropped when no lock is held.
    #[must_use = "they are dropped when no lock is held"]
    pub(crate) fn put(&self, series: &Arc<dyn AnySeries>) -> Vec<Arc<dyn AnySeries>> {
        let mut lost = Vec::new();
        if !self.wants(&**series) {
            return lost;
        }
        let mut fresh = self.fresh.lock();
        if fresh.series.len() >= fresh.full {
            let all = std::mem::take(&mut fresh.series);
            (lost, fresh.series) = all.into_iter().partition(|series| series.is_removed());
            fresh.lost += lost.len() as u64;
            // Those that live are limited by their metrics.
            fresh.full = fresh.series.len() + MOST_UNSEEN;
        }
        fresh.series.push(series.clone());
        lost
    }

    /// Samples those that want that.
    pub(crate) fn sample(&self) {
        let fresh = self.fresh.lock();
        fresh.series.iter().for_each(|series| series.sample());
    }

    /// Takes all out, and how many were lost.
    pub(crate) fn take(&self) -> (Vec<Arc<dyn AnySeries>>, u64) {
        let fresh = std::mem::replace(&mut *self.fresh.lock(), Fresh::new());
        (fresh.series, fresh.lost)
    }
}

impl Fresh {
    fn new() -> Fresh {
        Fresh {
            series: Vec::new(),
            full: MOST_UNSEEN,
            lost: 0,
        }
    }
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.series.len();
        f.debug_struct("Fresh").field("series", &number).finish()
    }
}
