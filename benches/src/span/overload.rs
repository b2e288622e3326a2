//! Recorders that are far faster than their reporter: they drop what has no room, and do not wait.

use std::sync::{Barrier, Once};
use std::thread;
use std::time::{Duration, Instant};

use kamon::report::{ReportError, SpanReporter};
use kamon::trace::SpanRecord;

use crate::measure::Meter;
use crate::span::{less, on_one_thread, ours};
use crate::versus::quantile;
use crate::workload::{Candidate, Workload};

const THREADS: usize = 8;
const SPANS: usize = 10_000;
/// How many spans a second the reporter handles: a thousandth of what is recorded.
const HANDLED: u32 = 10_000;

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    vec![
        on_one_thread("overload_8_threads", candidates(mean)),
        on_one_thread("overload_8_threads_p999", candidates(slowest)),
    ]
}

fn candidates(body: fn(&mut Meter<'_>)) -> Vec<Candidate> {
    vec![
        ours(move |meter, _| {
            configure(true);
            body(meter);
            accounted();
        }),
        less("kamon, no such reporter", move |meter, _| {
            configure(false);
            body(meter);
            accounted();
        }),
    ]
}

/// A reporter that takes its time.
struct Slow;

impl SpanReporter for Slow {
    fn report(&mut self, spans: &[SpanRecord]) -> Result<(), ReportError> {
        thread::sleep(Duration::from_secs(1) * spans.len() as u32 / HANDLED);
        Ok(())
    }

    fn name(&self) -> &str {
        "slow"
    }
}

fn configure(slow: bool) {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let config = kamon::Config::new();
        let config = match slow {
            true => config.span_reporter(Slow),
            false => config,
        };
        drop(kamon::init(config).expect("a good configuration"));
    });
}

fn record() {
    kamon::build_span("work").start().finish();
}

/// The time of a span, all threads' together.
fn mean(meter: &mut Meter<'_>) {
    meter.run(|iterations| {
        let begin = Instant::now();
        for _ in 0..iterations {
            on_all_threads(|| (0..SPANS).for_each(|_| record()));
        }
        begin.elapsed().as_nanos() as f64 / (iterations as f64 * (THREADS * SPANS) as f64)
    });
}

/// The time of the slowest spans, the clock's included.
fn slowest(meter: &mut Meter<'_>) {
    meter.run(|iterations| {
        let mut times = Vec::new();
        for _ in 0..iterations {
            let of_threads = on_all_threads(|| {
                let timed = (0..SPANS).map(|_| {
                    let begin = Instant::now();
                    record();
                    begin.elapsed().as_nanos() as f64
                });
                timed.collect::<Vec<_>>()
            });
            times.extend(of_threads.into_iter().flatten());
        }
        times.sort_by(f64::total_cmp);
        quantile(&times, 0.999)
    });
}

fn on_all_threads<R: Send>(body: impl Fn() -> R + Sync) -> Vec<R> {
    let begin = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    begin.wait();
                    body()
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.expect("a recorder ends"))
            .collect()
    })
}

/// What was recorded has been reported, waits, or was dropped and counted.
fn accounted() {
    let stats = kamon::report::stats();
    let accounted = stats.reported + stats.waiting + stats.dropped.total();
    assert_eq!(stats.recorded, accounted, "{stats:?}");
}
