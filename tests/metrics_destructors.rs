//! What an instrument observes is the user's, and so is the destructor that ends it: it may use
//! metrics, and it may panic, whoever is the last to know of the instrument.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::Arc;
use std::thread;

use kamon::metrics::{self, Counter, Filter, MetricReporter, PeriodSnapshot, Subscription};
use kamon::report::{Flush, ReportError};
use kamon::time::Duration;
use kamon::Config;

const NEVER: Duration = Duration::from_secs(86_400 * 9_999);

/// Runs it on a thread of its own. One that waits for a lock for ever would take all tests with it.
fn assert_ends(work: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    let outcome = is_done.recv_timeout(Duration::from_secs(60));
    assert!(outcome.is_ok(), "it panicked, or waits for ever");
}

/// Makes a new instrument of a metric at its end.
struct Counts(Counter, &'static str);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.with_tag("end", self.1).increment();
    }
}

/// Has something observed for as long as there is the instrument.
fn observe<T: Send + Sync + 'static>(counter: &Counter, owned: T) {
    let read = move || {
        let _ = &owned;
        1
    };
    counter.observe(read).forever();
}

/// How many ends there were.
fn ends(subscription: &mut Subscription) -> u64 {
    let period = subscription.snapshot();
    let with_end = period.instruments().iter();
    let with_end = with_end.filter(|one| one.tags().get("end").is_some());
    with_end.count() as u64
}

#[test]
fn at_a_removal() {
    assert_ends(|| {
        let mut seen = metrics::subscribe("destructors.removal", NEVER);
        let metric = metrics::counter("destructors.removal");
        let observing = || metric.with_tag("observes", true);
        observe(&observing(), Counts(metric.clone(), "removal"));
        // Nobody has the instrument but its metric.
        assert_eq!(ends(&mut seen), 0);
        drop(seen);
        assert!(observing().remove());
        let mut seen = metrics::subscribe("destructors.removal", NEVER);
        assert_eq!(ends(&mut seen), 1);
    });
}

#[test]
fn of_what_an_inbox_has_no_room_for() {
    assert_ends(|| {
        let _idle = metrics::subscribe("destructors.inbox", NEVER);
        let mut ended = metrics::subscribe("destructors.ended", NEVER);
        let metric = metrics::counter("destructors.inbox");
        let observing = || metric.with_tag("observes", true);
        let end = metrics::counter("destructors.ended");
        observe(&observing(), Counts(end, "no room"));
        assert!(observing().remove());
        for id in 0..Subscription::MOST_UNSEEN {
            metric.with_tag("id", id as u64).increment();
            metric.with_tag("id", id as u64).remove();
        }
        assert_eq!(ends(&mut ended), 1);
    });
}

/// Another thread makes instruments, and is nearly always about to ask whether the subscriber wants
/// to know of one when the subscription ends: the inbox is then in its hands.
#[test]
fn with_a_subscription_that_ends() {
    assert_ends(|| {
        let slow = (0..500).fold(Filter::name("destructors.kept"), |filter, number| {
            filter.or_name(format!("*{number}"))
        });
        let done = Arc::new(AtomicBool::new(false));
        let made = Arc::new(AtomicU64::new(0));
        let (is_done, has_made) = (done.clone(), made.clone());
        let others = thread::spawn(move || {
            let metric = metrics::counter("destructors.others");
            while !is_done.load(Ordering::Relaxed) {
                metric.with_tag("a", 1).increment();
                metric.with_tag("a", 1).remove();
                has_made.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut ended = metrics::subscribe("destructors.end", NEVER);
        let metric = metrics::counter("destructors.kept");
        for _ in 0..50 {
            let subscription = metrics::subscribe(slow.clone(), NEVER);
            let observing = || metric.with_tag("observes", true);
            let end = metrics::counter("destructors.end");
            observe(&observing(), Counts(end.clone(), "subscription"));
            assert!(observing().remove());
            // The other thread does not wait for a lock that was taken here.
            let before = made.load(Ordering::Relaxed);
            while made.load(Ordering::Relaxed) < before + 2 {
                thread::yield_now();
            }
            drop(subscription);
            // At most a moment later, by the other thread.
            while ends(&mut ended) == 0 {
                thread::yield_now();
            }
            end.with_tag("end", "subscription").remove();
            let _ = ended.snapshot();
        }
        done.store(true, Ordering::Relaxed);
        others.join().unwrap();
    });
}

struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("at the end");
    }
}

struct Idle;

impl MetricReporter for Idle {
    fn name(&self) -> &str {
        "idle"
    }

    fn filter(&self) -> Filter {
        Filter::name("destructors.panics")
    }

    fn interval(&self) -> Duration {
        NEVER
    }

    fn report(&mut self, _: &PeriodSnapshot) -> Result<(), ReportError> {
        Ok(())
    }
}

#[test]
fn that_panics_on_a_reporters_thread() {
    assert_ends(|| {
        let config = Config::new().patience(Duration::from_secs(30));
        let _kamon = kamon::init(config).unwrap();
        let idle = kamon::add_metric_reporter(Idle);
        let observing = || metrics::counter("destructors.panics");
        observe(&observing(), Panics);
        assert_eq!(kamon::flush(), Flush::Complete);
        assert!(observing().remove());
        // The reporter looks for the last time, and lets go of it.
        assert_eq!(kamon::flush(), Flush::Complete);
        assert_eq!(kamon::flush(), Flush::Complete);
        assert_eq!(idle.stats().reported, 3);
        assert!(idle.remove());
    });
}
