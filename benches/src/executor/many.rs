//! The workloads of tokio's benchmark `rt_multi_threaded`, with its numbers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::executor::Scheduler;
use crate::measure::Meter;

const SPAWNS: usize = 10_000;
const SPAWNS_BUSY: usize = 1_000;
const STALL: Duration = Duration::from_micros(10);
const YIELDING_TASKS: usize = 200;
const YIELDS: usize = 1_000;
const PINGS: usize = 1_000;
const LINKS: usize = 1_000;

/// Counts down; the last one reports.
#[derive(Clone)]
struct Countdown {
    left: Arc<AtomicUsize>,
    done: mpsc::SyncSender<()>,
}

impl Countdown {
    fn new() -> (Countdown, mpsc::Receiver<()>) {
        let (done, finished) = mpsc::sync_channel(1000);
        (
            Countdown {
                left: Arc::default(),
                done,
            },
            finished,
        )
    }

    fn start(&self, count: usize) {
        self.left.store(count, Ordering::Relaxed);
    }

    fn arrive(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.done.send(()).expect("somebody waits for the last one");
        }
    }
}

/// Tasks spawned within `block_on`, which blocks its thread until the last one has run.
pub(crate) fn spawn_many_local<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let (countdown, finished) = Countdown::new();
    meter.iter(|| {
        countdown.start(SPAWNS);
        scheduler.block_on(async {
            for _ in 0..SPAWNS {
                let countdown = countdown.clone();
                S::detach(S::spawn(async move { countdown.arrive() }));
            }
            finished.recv().expect("the last one reports");
        });
    });
}

/// Tasks spawned from outside while the workers have nothing to do, and joined.
pub(crate) fn spawn_many_remote_idle<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    spawn_and_join(meter, &scheduler, SPAWNS);
}

/// Tasks spawned from outside while all workers are busy with tasks that yield.
pub(crate) fn spawn_many_remote_busy1<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let busy = Arc::new(AtomicBool::new(true));
    for _ in 0..2 * workers {
        let busy = busy.clone();
        S::detach(scheduler.spawn_from_outside(async move {
            while busy.load(Ordering::Relaxed) {
                S::yield_now().await;
                stall();
            }
        }));
    }
    spawn_and_join(meter, &scheduler, SPAWNS);
    busy.store(false, Ordering::Relaxed);
}

/// Tasks spawned from outside while all workers are busy with tasks that spawn their successors.
pub(crate) fn spawn_many_remote_busy2<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    fn succeed<S: Scheduler>(busy: Arc<AtomicBool>) {
        S::detach(S::spawn(async {
            if busy.load(Ordering::Relaxed) {
                stall();
                succeed::<S>(busy);
            }
        }));
    }

    let scheduler = S::start(workers);
    let _entered = S::enter();
    let busy = Arc::new(AtomicBool::new(true));
    for _ in 0..workers {
        let busy = busy.clone();
        S::detach(scheduler.spawn_from_outside(async { succeed::<S>(busy) }));
    }
    spawn_and_join(meter, &scheduler, SPAWNS_BUSY);
    busy.store(false, Ordering::Relaxed);
}

/// Tasks that do nothing but yield.
pub(crate) fn yield_many<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let (done, finished) = mpsc::sync_channel(YIELDING_TASKS);
    meter.iter(|| {
        for _ in 0..YIELDING_TASKS {
            let done = done.clone();
            S::detach(scheduler.spawn_from_outside(async move {
                for _ in 0..YIELDS {
                    S::yield_now().await;
                }
                done.send(()).expect("somebody waits for every one");
            }));
        }
        for _ in 0..YIELDING_TASKS {
            finished.recv().expect("every one reports");
        }
    });
}

/// Pairs of tasks that send each other one message, all pairs spawned by one task.
pub(crate) fn ping_pong<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    let scheduler = S::start(workers);
    let _entered = S::enter();
    let (countdown, finished) = Countdown::new();
    meter.iter(|| {
        let countdown = countdown.clone();
        countdown.start(PINGS);
        scheduler.block_on(async {
            S::detach(S::spawn(async move {
                for _ in 0..PINGS {
                    let countdown = countdown.clone();
                    S::detach(S::spawn(async move {
                        let (ping, pinged) = oneshot::channel();
                        let (pong, ponged) = oneshot::channel();
                        S::detach(S::spawn(async move {
                            pinged.await.expect("the other one pings");
                            pong.send(()).expect("the other one waits");
                        }));
                        ping.send(()).expect("the other one waits");
                        ponged.await.expect("the other one answers");
                        countdown.arrive();
                    }));
                }
            }));
            finished.recv().expect("the last one reports");
        });
    });
}

/// Tasks each of which spawns the next.
pub(crate) fn chained_spawn<S: Scheduler>(meter: &mut Meter<'_>, workers: usize) {
    fn link<S: Scheduler>(done: mpsc::SyncSender<()>, left: usize) {
        if left == 0 {
            done.send(()).expect("somebody waits for the last one");
        } else {
            S::detach(S::spawn(async move { link::<S>(done, left - 1) }));
        }
    }

    let scheduler = S::start(workers);
    let _entered = S::enter();
    let (done, finished) = mpsc::sync_channel(1000);
    meter.iter(|| {
        let done = done.clone();
        scheduler.block_on(async {
            S::detach(S::spawn(async move { link::<S>(done, LINKS) }));
            finished.recv().expect("the last one reports");
        });
    });
}

fn spawn_and_join<S: Scheduler>(meter: &mut Meter<'_>, scheduler: &S, spawns: usize) {
    let mut joins = Vec::with_capacity(spawns);
    meter.iter(|| {
        for _ in 0..spawns {
            joins.push(scheduler.spawn_from_outside(async {}));
        }
        scheduler.block_on(async {
            for join in joins.drain(..) {
                join.await;
            }
        });
    });
}

/// Keeps the processor busy for a while.
pub(crate) fn stall() {
    let begin = Instant::now();
    while begin.elapsed() < STALL {
        thread::yield_now();
    }
}
