//! The metric reporters of the process.

use crate::metrics::MetricReporter;
use crate::report::metric_courier;
use crate::report::metric_desk::MetricDesk;
use crate::report::settings::SETTINGS;
use crate::report::MetricReporterStats;
use crate::sync::statics::Mutex;
use crate::sync::Arc;

/// The metric reporters of the process.
pub(crate) static METRIC_DESKS: MetricDesks = MetricDesks(Mutex::new(Vec::new()));

pub(crate) struct MetricDesks(Mutex<Vec<Arc<MetricDesk>>>);

impl MetricDesks {
    pub(crate) fn add(&self, reporter: Box<dyn MetricReporter>) -> Arc<MetricDesk> {
        let settings = *SETTINGS.lock();
        let desk = Arc::new(MetricDesk::new(reporter.name().to_owned(), settings));
        match metric_courier::start(reporter, desk.clone()) {
            Ok(()) => self.0.lock().push(desk.clone()),
            Err(error) => {
                desk.failed(error.to_string());
                desk.stopped();
            }
        }
        desk
    }

    pub(crate) fn remove(&self, desk: &Arc<MetricDesk>) {
        self.0.lock().retain(|other| !Arc::ptr_eq(other, desk));
    }

    pub(crate) fn all(&self) -> Vec<Arc<MetricDesk>> {
        self.0.lock().clone()
    }

    /// Forgets those that there are, and lets them end.
    pub(crate) fn clear(&self) {
        let ended = std::mem::take(&mut *self.0.lock());
        ended.iter().for_each(|desk| desk.close());
    }

    pub(crate) fn stats(&self) -> Vec<MetricReporterStats> {
        self.all().iter().map(|desk| desk.stats()).collect()
    }
}
