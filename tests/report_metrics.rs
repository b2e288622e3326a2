//! Metric reporters get every recording once, whatever happens to some of them.

mod locks;

use std::sync::Arc;
use std::time::Duration;

use kamon::metrics::{Filter, PeriodSnapshot};
use kamon::report::{Flush, MetricReporter, ReportError};
use kamon::Config;
use locks::Mutex;

const NAME: &str = "report_metrics.logins";

struct Sum {
    name: &'static str,
    failures: u32,
    total: Arc<Mutex<u64>>,
}

impl MetricReporter for Sum {
    fn name(&self) -> &str {
        self.name
    }

    fn filter(&self) -> Filter {
        Filter::name(NAME)
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn report(&mut self, period: &PeriodSnapshot) -> Result<(), ReportError> {
        if self.failures > 0 {
            self.failures -= 1;
            if self.failures % 2 == 0 {
                panic!("not now");
            }
            return Err("not now".into());
        }
        *self.total.lock().unwrap() += period.counter(NAME).unwrap_or(0);
        Ok(())
    }
}

/// Never stops.
struct Restless;

impl MetricReporter for Restless {
    fn name(&self) -> &str {
        "restless"
    }

    fn interval(&self) -> Duration {
        Duration::ZERO
    }

    fn report(&mut self, _: &PeriodSnapshot) -> Result<(), ReportError> {
        Ok(())
    }
}

#[test]
fn an_interval_of_nothing_is_refused_and_nothing_changed() {
    let config = Config::new()
        .service_name("restless")
        .metric_reporter(Restless);
    let error = kamon::init(config).unwrap_err();
    let said = "the interval of metric reporter \"restless\" must not be zero";
    assert_eq!(error.to_string(), said);
    assert_eq!(kamon::report::service_name(), None);
}

#[test]
fn flushes_end_periods_and_failures_are_tried_again() {
    // Who rests although a flush waits for it comes too late for it; and no rest is too long to be
    // reckoned with.
    let config = Config::new()
        .patience(Duration::from_secs(60))
        .backoff(Duration::MAX)
        .attempts(3);
    let kamon = kamon::init(config).unwrap();
    let add = |name, failures| {
        let total = Arc::new(Mutex::new(0));
        let reporter = Sum {
            name,
            failures,
            total: total.clone(),
        };
        (kamon::add_metric_reporter(reporter), total)
    };
    let (works, total) = add("works", 0);
    let (stumbles, stumbled) = add("stumbles", 2);
    let (loses, lost) = add("loses", 3);

    let logins = kamon::metrics::counter(NAME);
    logins.increment_by(5);
    assert_eq!(kamon.flush(), Flush::Complete);
    logins.increment_by(2);
    assert_eq!(kamon.flush(), Flush::Complete);
    assert_eq!(*total.lock().unwrap(), 7);
    assert_eq!(*stumbled.lock().unwrap(), 7);
    assert_eq!(*lost.lock().unwrap(), 2);

    let account = |added: &kamon::report::AddedMetricReporter| {
        let stats = added.stats();
        (stats.reported, stats.dropped, stats.failures)
    };
    assert_eq!(account(&works), (2, 0, 0));
    assert_eq!(account(&stumbles), (2, 0, 2));
    assert_eq!(account(&loses), (1, 1, 3));
    assert_eq!(kamon::report::stats().metric_reporters.len(), 3);

    logins.increment();
    assert!(stumbles.remove());
    assert_eq!(*stumbled.lock().unwrap(), 8);
    assert_eq!(kamon.shutdown(), Flush::Complete);
    assert_eq!(*total.lock().unwrap(), 8);
}
