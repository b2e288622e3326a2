//! Subscriptions: periods of metrics, one after the other.

use std::fmt;
use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures_lite::Stream;

use crate::metrics::filter::Filter;
use crate::metrics::inbox::{self, Inbox};
use crate::metrics::own;
use crate::metrics::registry;
use crate::metrics::series::{Collected, Watch};
use crate::metrics::snapshot::PeriodSnapshot;
use crate::metrics::tick;
use crate::sync::{now, Arc};

/// Counts ticks at which nobody was there.
const SKIPPED: &str = "kamon.metrics.skipped-ticks";

/// How often numbers that go up and down are sampled between two ticks.
const SAMPLE_EVERY: Duration = Duration::from_millis(200);

/// Subscribes to the instruments that `filter` chooses.
///
/// What is recorded from here on is in exactly one of the subscription's periods. They end at
/// multiples of `interval` by the clock on the wall: with a minute, when the minute is full.
///
/// # Panics
///
/// If the interval is zero.
///
/// # Examples
///
/// ```
/// use kamon::metrics::{self, Filter};
/// use std::time::Duration;
///
/// let logins = metrics::counter("subscribe.example.logins");
/// let filter = Filter::name("subscribe.example.*");
/// let mut subscription = metrics::subscribe(filter, Duration::from_millis(20));
/// logins.increment();
///
/// kamon::block_on(async {
///     let period = subscription.next().await;
///     assert_eq!(period.counter("subscribe.example.logins"), Some(1));
///     assert!(period.from() <= period.to());
/// });
/// ```
pub fn subscribe(filter: impl Into<Filter>, interval: Duration) -> Subscription {
    assert!(
        !interval.is_zero(),
        "the interval of a subscription is zero"
    );
    own::observe();
    let inbox = Inbox::new(filter.into());
    let there = registry::subscribe(&inbox);
    let mut subscription = Subscription {
        inbox,
        interval,
        watched: Vec::with_capacity(there.len()),
        from: SystemTime::now(),
        skipped_ticks: 0,
        nap: None,
        wait: Wait::until(tick::until_first(SystemTime::now(), interval)),
    };
    let watched = there.into_iter().map(|series| series.watch_from_now());
    subscription.watched.extend(watched);
    subscription
}

/// A stream of [`PeriodSnapshot`]s, without an end.
///
/// Made by [`subscribe`]. It works while it is polled, by whichever executor; nothing happens in
/// between. Who polls late gets one longer period and the number of ticks that went by, and disturbs
/// nobody else.
///
/// # Examples
///
/// A task that prints the greatest value of each second, of every timer and histogram:
///
/// ```no_run
/// use kamon::metrics::{self, Value};
/// use std::time::Duration;
///
/// kamon::spawn(async {
///     let mut seconds = metrics::subscribe("*", Duration::from_secs(1));
///     loop {
///         let second = seconds.next().await;
///         for instrument in second.instruments() {
///             if let Value::Distribution(values) = instrument.value() {
///                 println!("{}{} {}", instrument.name(), instrument.tags(), values.max());
///             }
///         }
///     }
/// });
/// ```
#[must_use = "a subscription does nothing unless it is polled"]
pub struct Subscription {
    inbox: Arc<Inbox>,
    interval: Duration,
    watched: Vec<Box<dyn Watch>>,
    from: SystemTime,
    skipped_ticks: u64,
    wait: Wait,
    nap: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// How long until a tick.
#[derive(Debug)]
struct Wait {
    deadline: Instant,
    /// What is left after the present nap.
    rest: Duration,
}

impl Wait {
    fn until(wait: Duration) -> Wait {
        let now = now();
        // Beyond what clocks know is never.
        let far = Duration::from_secs(u64::from(u32::MAX));
        let wait = wait.min(far);
        Wait {
            deadline: now.checked_add(wait).unwrap_or(now),
            rest: wait,
        }
    }

    /// The next nap, after which there is less left.
    fn nap(&mut self, longest: Duration) -> Duration {
        let left = self.deadline.saturating_duration_since(now());
        // The naps themselves may go by another clock than ours, a paused one.
        let left = left.min(self.rest);
        let nap = left.min(longest);
        self.rest = left - nap;
        nap
    }
}

impl Subscription {
    /// How many instruments may come and go within one period without any being lost to this
    /// subscriber.
    pub const MOST_UNSEEN: usize = inbox::MOST_UNSEEN;

    /// Waits for the next tick, and returns everything since the one before.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> PeriodSnapshot {
        poll_fn(|cx| self.poll_period(cx)).await
    }

    /// Returns everything since the last snapshot at once. The next tick comes when it would have.
    pub fn snapshot(&mut self) -> PeriodSnapshot {
        self.collect(0)
    }

    /// Returns how long a period is, where nobody is late.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Returns at how many ticks nobody was there, altogether.
    pub fn skipped_ticks(&self) -> u64 {
        self.skipped_ticks
    }

    fn poll_period(&mut self, cx: &mut TaskContext<'_>) -> Poll<PeriodSnapshot> {
        loop {
            let nap = match &mut self.nap {
                Some(nap) => nap,
                None => {
                    self.sample();
                    // Also where there is nothing to sample yet: what comes wants it at once.
                    let nap = self.wait.nap(SAMPLE_EVERY);
                    self.nap.insert(Box::pin(crate::tick_after(nap)))
                }
            };
            match nap.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.nap = None,
            }
            if self.wait.rest.is_zero() {
                let late = now().saturating_duration_since(self.wait.deadline);
                let (skipped, wait) = tick::next(SystemTime::now(), late, self.interval);
                self.wait = Wait::until(wait);
                return Poll::Ready(self.collect(skipped));
            }
        }
    }

    fn collect(&mut self, skipped: u64) -> PeriodSnapshot {
        if skipped > 0 {
            self.skipped_ticks += skipped;
            registry::counter(SKIPPED)
                .with_description("ticks of subscriptions at which nobody was there")
                .increment_by(skipped);
        }
        let lost = self.take_fresh();
        // A clock that was put back does not turn a period around.
        let to = SystemTime::now().max(self.from);
        let mut instruments = Vec::with_capacity(self.watched.len());
        self.watched.retain_mut(|watched| {
            let Collected { snapshot, is_last } = watched.collect();
            instruments.push(snapshot);
            !is_last
        });
        let from = std::mem::replace(&mut self.from, to);
        PeriodSnapshot::new((from, to), skipped, lost, instruments)
    }

    /// Samples what wants that, also what is new. That stays in the inbox until the tick: there its
    /// number is limited.
    fn sample(&mut self) {
        self.watched.iter().for_each(|watched| watched.sample());
        self.inbox.sample();
    }

    fn take_fresh(&mut self) -> u64 {
        let (fresh, lost) = self.inbox.take();
        let fresh = fresh.into_iter().map(|series| series.watch_from_zero());
        self.watched.extend(fresh);
        lost
    }
}

impl Stream for Subscription {
    type Item = PeriodSnapshot;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<PeriodSnapshot>> {
        self.poll_period(cx).map(Some)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("interval", &self.interval)
            .field("instruments", &self.watched.len())
            .field("skipped_ticks", &self.skipped_ticks)
            .finish_non_exhaustive()
    }
}
