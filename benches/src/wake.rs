//! From a thread to a task: how long a wake takes, and what the waiting costs when nothing comes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{clock_gettime, ClockId};

use crate::executor::{stall, AsyncExecutor, AsyncExecutorStatic, Kamon, Scheduler, Tokio};
use crate::measure::Meter;
use crate::versus::quantile;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

/// Wakes for each percentile, at least.
const WAKES: u64 = 200;
/// How long the workers have to fall asleep before each wake.
const REST: Duration = Duration::from_micros(200);
/// How long nothing happens.
const IDLE: Duration = Duration::from_millis(100);
/// How often something happens under a light load.
const PERIOD: Duration = Duration::from_micros(500);
/// How often it does so in a sample.
const PERIODS: u64 = 50;

/// A row with the same generic body for every scheduler.
macro_rules! row {
    ($name:literal, $body:ident $(, $parameter:expr)*) => {
        Workload {
            name: $name,
            workers: Workers::Each(&[2]),
            unit: Unit::Nanoseconds,
            rounds: Rounds::AsTold,
            candidates: vec![
                row!(@ Kamon, Role::Ours, $body $(, $parameter)*),
                row!(@ Tokio, Role::Peer, $body $(, $parameter)*),
                row!(@ AsyncExecutor, Role::Peer, $body $(, $parameter)*),
                row!(@ AsyncExecutorStatic, Role::Peer, $body $(, $parameter)*),
            ],
        }
    };
    (@ $scheduler:ident, $role:expr, $body:ident $(, $parameter:expr)*) => {
        Candidate::new($scheduler::NAME, $role, |meter, workers| {
            $body::<$scheduler>(meter, workers $(, $parameter)*);
        })
    };
}

/// Returns the group.
pub fn group() -> Group {
    Group {
        name: "wake",
        about: "latency from a thread to a task; processor time of waiting (a second of nothing, \
                and a request every 500 us)",
        workloads: vec![
            row!("idle_p50", latency, false, 0.5),
            row!("idle_p99", latency, false, 0.99),
            row!("busy_p50", latency, true, 0.5),
            row!("busy_p99", latency, true, 0.99),
            row!("processor_time_idle", processor_time_idle),
            row!("processor_time_periodic", processor_time_periodic),
        ],
    }
}

/// How long after the wake the task runs, when all workers sleep or when all are busy.
fn latency<S: Scheduler>(meter: &mut Meter<'_>, workers: usize, busy: bool, percentile: f64) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let running = Arc::new(AtomicBool::new(busy));
    for _ in 0..2 * workers {
        let running = running.clone();
        S::detach(scheduler.spawn_from_outside(async move {
            while running.load(Ordering::Relaxed) {
                stall();
                S::yield_now().await;
            }
        }));
    }
    let (wake, woken) = async_channel::bounded::<Instant>(1);
    let (took, reports) = mpsc::channel();
    S::detach(scheduler.spawn_from_outside(async move {
        while let Ok(sent) = woken.recv().await {
            took.send(sent.elapsed()).expect("the thread waits");
        }
    }));
    meter.run(|iterations| {
        let mut latencies: Vec<f64> = (0..iterations.max(WAKES))
            .map(|_| {
                thread::sleep(REST);
                wake.try_send(Instant::now())
                    .expect("the last one was received");
                reports.recv().expect("the task reports").as_nanos() as f64
            })
            .collect();
        latencies.sort_unstable_by(f64::total_cmp);
        quantile(&latencies, percentile)
    });
    running.store(false, Ordering::Relaxed);
}

/// What a second costs in which nothing happens.
fn processor_time_idle<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    scheduler.block_on(scheduler.spawn_from_outside(async {}));
    meter.run(|_| {
        let begin = processor_time();
        thread::sleep(IDLE);
        (processor_time() - begin).as_nanos() as f64 / IDLE.as_secs_f64()
    });
}

/// What a request costs that comes when all workers sleep: one task hands it to another, and that
/// one replies.
fn processor_time_periodic<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let (request, requests) = async_channel::bounded::<u64>(1);
    let (handover, handed_over) = async_channel::bounded::<u64>(1);
    let (reply, replies) = mpsc::channel();
    S::detach(scheduler.spawn_from_outside(async move {
        while let Ok(number) = requests.recv().await {
            handover.send(number).await.expect("the other task listens");
        }
    }));
    S::detach(scheduler.spawn_from_outside(async move {
        while let Ok(number) = handed_over.recv().await {
            reply.send(number).expect("the thread waits");
        }
    }));
    meter.run(|iterations| {
        let periods = iterations.max(PERIODS);
        let begin = processor_time();
        for number in 0..periods {
            thread::sleep(PERIOD);
            request.try_send(number).expect("the last one was received");
            assert_eq!(replies.recv(), Ok(number));
        }
        (processor_time() - begin).as_nanos() as f64 / periods as f64
    });
}

/// The processor time of this process.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
