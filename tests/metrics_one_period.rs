//! Each recording is in exactly one period of each subscriber.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Barrier;
use std::thread;

use kamon::metrics::{self, Counter, Histogram, PeriodSnapshot, Subscription};
use kamon::time::Duration;
use proptest::prelude::*;

const NEVER: Duration = Duration::from_secs(86_400);

/// What a subscriber has seen altogether, by name and tags.
#[derive(Default, Debug, PartialEq)]
struct Totals(HashMap<String, u64>);

impl Totals {
    /// Counters by how much they grew, distributions by their sums: of values below 256 these are
    /// exact.
    fn add(&mut self, period: &PeriodSnapshot) {
        for instrument in period.instruments() {
            let name = format!("{}{}", instrument.name(), instrument.tags());
            let amount = match instrument.value() {
                metrics::Value::Count(count) => *count,
                metrics::Value::Distribution(distribution) => distribution.sum(),
                other => panic!("{other:?}"),
            };
            *self.0.entry(name).or_default() += amount;
        }
        self.0.retain(|_, amount| *amount > 0);
    }
}

/// Threads record, come and go, and make new instruments, while subscribers look at their own pace.
#[test]
fn whatever_happens_at_the_same_time() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = if cfg!(debug_assertions) {
        2_000
    } else {
        20_000
    };

    let subscribe = || metrics::subscribe("at-once.*", NEVER);
    let done = AtomicBool::new(false);
    let start = Barrier::new(THREADS as usize + 3);
    let totals: Vec<Totals> = thread::scope(|scope| {
        let readers: Vec<_> = (0..3_u32)
            .map(|pace| {
                let mut subscription = subscribe();
                let (done, start) = (&done, &start);
                scope.spawn(move || {
                    let mut totals = Totals::default();
                    start.wait();
                    loop {
                        let last = done.load(Ordering::Acquire);
                        totals.add(&subscription.snapshot());
                        if last {
                            return totals;
                        }
                        (0..pace * 10).for_each(|_| thread::yield_now());
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..THREADS)
            .map(|number| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for round in 0..ROUNDS {
                        // A thread of its own now and then: seats change hands.
                        if round % 500 == 0 {
                            let other = scope.spawn(move || record(number, round));
                            other.join().unwrap();
                        } else {
                            record(number, round);
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Release);
        let readers = readers.into_iter().map(|reader| reader.join().unwrap());
        readers.collect()
    });

    let mut expected = Totals::default();
    for number in 0..THREADS {
        for round in 0..ROUNDS {
            for (name, amount) in amounts(number, round) {
                *expected.0.entry(name).or_default() += amount;
            }
        }
    }
    expected.0.retain(|_, amount| *amount > 0);
    for seen in totals {
        assert_eq!(seen, expected);
    }
}

fn record(number: u64, round: u64) {
    metrics::counter("at-once.counter").increment_by(number + 1);
    metrics::histogram("at-once.histogram").record(round % 256);
    metrics::timer("at-once.timer")
        .with_tag("tag", round % 50)
        .record_nanos(7);
    // Comes and goes: what one subscriber has not looked at yet must not be gone with it.
    let passing = metrics::counter("at-once.passing").with_tag("thread", number);
    passing.increment();
    if round % 3 == 0 {
        assert!(passing.remove());
    }
}

fn amounts(number: u64, round: u64) -> [(String, u64); 4] {
    [
        ("at-once.counter{}".into(), number + 1),
        ("at-once.histogram{}".into(), round % 256),
        (format!("at-once.timer{{tag=\"{}\"}}", round % 50), 7),
        (format!("at-once.passing{{thread=\"{number}\"}}"), 1),
    ]
}

/// The first threads have seats of their own in every instrument, the others share some.
#[test]
fn however_many_threads() {
    const THREADS: u64 = 48;
    const TIMES: u64 = 20_000;

    let mut subscription = metrics::subscribe("many-threads.*", NEVER);
    let counter = metrics::counter("many-threads.counter");
    let histogram = metrics::histogram("many-threads.histogram");
    let start = Barrier::new(THREADS as usize);
    let record = || {
        // All have recorded before any of them goes on.
        counter.increment();
        start.wait();
        for time in 0..TIMES {
            counter.increment();
            histogram.record(time % 2);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(record)).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let period = subscription.snapshot();
    let counted = period.counter("many-threads.counter");
    assert_eq!(counted, Some(THREADS * (TIMES + 1)));
    let recorded = period.histogram("many-threads.histogram").unwrap();
    assert_eq!(recorded.count(), THREADS * TIMES);
    assert_eq!(recorded.sum(), THREADS * TIMES / 2);
}

/// What a program may do, one thing after another.
#[derive(Clone, Debug)]
enum Step {
    Count { which: usize, times: u64 },
    Record { which: usize, value: u64 },
    Remove { which: usize },
    Subscribe,
    Snapshot { subscriber: usize },
    Unsubscribe { subscriber: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 0..100_u64).prop_map(|(which, times)| Step::Count { which, times }),
        4 => (0..3_usize, 0..256_u64).prop_map(|(which, value)| Step::Record { which, value }),
        1 => (0..3_usize).prop_map(|which| Step::Remove { which }),
        1 => Just(Step::Subscribe),
        3 => (0..4_usize).prop_map(|subscriber| Step::Snapshot { subscriber }),
        1 => (0..4_usize).prop_map(|subscriber| Step::Unsubscribe { subscriber }),
    ]
}

/// A subscriber, and what it ought to see at its next snapshot.
struct Subscriber {
    subscription: Subscription,
    due: Totals,
}

fn counter(name: &str, which: usize) -> Counter {
    metrics::counter(format!("{name}.counter")).with_tag("which", which)
}

fn histogram(name: &str, which: usize) -> Histogram {
    metrics::histogram(format!("{name}.histogram")).with_tag("which", which)
}

fn run(name: &str, steps: &[Step]) {
    let mut subscribers: Vec<Subscriber> = Vec::new();
    let due = |subscribers: &mut Vec<Subscriber>, name: String, amount: u64| {
        for subscriber in subscribers {
            *subscriber.due.0.entry(name.clone()).or_default() += amount;
        }
    };
    for step in steps {
        match *step {
            Step::Count { which, times } => {
                counter(name, which).increment_by(times);
                let name = format!("{name}.counter{{which=\"{which}\"}}");
                due(&mut subscribers, name, times);
            }
            Step::Record { which, value } => {
                histogram(name, which).record(value);
                let name = format!("{name}.histogram{{which=\"{which}\"}}");
                due(&mut subscribers, name, value);
            }
            Step::Remove { which } => {
                counter(name, which).remove();
                histogram(name, which).remove();
            }
            Step::Subscribe if subscribers.len() < 4 => subscribers.push(Subscriber {
                subscription: metrics::subscribe(format!("{name}.*"), NEVER),
                due: Totals::default(),
            }),
            Step::Subscribe => {}
            Step::Snapshot { subscriber } => {
                if let Some(subscriber) = subscribers.get_mut(subscriber) {
                    let mut seen = Totals::default();
                    seen.add(&subscriber.subscription.snapshot());
                    subscriber.due.0.retain(|_, amount| *amount > 0);
                    assert_eq!(seen, std::mem::take(&mut subscriber.due));
                }
            }
            Step::Unsubscribe { subscriber } => {
                if subscriber < subscribers.len() {
                    subscribers.swap_remove(subscriber);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_one_after_another(steps in proptest::collection::vec(step(), 1..100)) {
        use std::sync::atomic::AtomicUsize;
        static NEXT: AtomicUsize = AtomicUsize::new(0);

        run(&format!("sequence-{}", NEXT.fetch_add(1, Ordering::Relaxed)), &steps);
    }
}
