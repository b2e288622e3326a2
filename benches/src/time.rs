//! Timers: arming and cancelling among many that are pending, firing, and how late they fire.
//!
//! Everything happens in one task, on one worker; with async-io, in its own `block_on`.

use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use async_io::Timer;

use crate::executor::{Kamon, Scheduler, Tokio};
use crate::measure::Meter;
use crate::workload::{Candidate, Group, Role, Rounds, Unit, Workers, Workload};

const HOUR: Duration = Duration::from_secs(3600);
const MILLISECOND: Duration = Duration::from_millis(1);
const FIRED_TOGETHER: usize = 100_000;
const SEED: u64 = 0x1234_5678;

/// A row with the same generic body for everybody's timers.
macro_rules! row {
    ($name:literal, $body:ident $(, $parameter:expr)?) => {
        Workload {
            name: $name,
            workers: Workers::Fixed(1),
            unit: Unit::Nanoseconds,
            rounds: Rounds::AsTold,
            candidates: vec![
                Candidate::new("kamon", Role::Ours, |meter, _| {
                    $body::<Kamon>(meter $(, $parameter)?);
                }),
                Candidate::new("tokio", Role::Peer, |meter, _| {
                    $body::<Tokio>(meter $(, $parameter)?);
                }),
                Candidate::new("async-io", Role::Peer, |meter, _| {
                    $body::<AsyncIo>(meter $(, $parameter)?);
                }),
            ],
        }
    };
}

/// Returns the group.
pub fn group() -> Group {
    Group {
        name: "time",
        about: "timers; time for each one",
        workloads: vec![
            row!("arm_and_cancel_among_0", arm_and_cancel, 0),
            row!("arm_and_cancel_among_1000", arm_and_cancel, 1_000),
            row!("arm_and_cancel_among_10000", arm_and_cancel, 10_000),
            row!("arm_and_cancel_among_100000", arm_and_cancel, 100_000),
            row!("arm_and_cancel_among_1000000", arm_and_cancel, 1_000_000),
            row!("arm_and_fire_100000", arm_and_fire),
            row!("lateness_of_1_ms", lateness),
        ],
    }
}

/// Somebody's timers, and where they run.
trait Timers: 'static {
    type Sleep: Future<Output: Send> + Send + 'static;

    fn start() -> Self;

    /// Runs a future where the timers are.
    fn run<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Returns a timer that is armed by its first poll.
    fn sleep(duration: Duration) -> Self::Sleep;
}

macro_rules! timers_of_runtime {
    ($scheduler:ident, $crate_:ident) => {
        impl Timers for $scheduler {
            type Sleep = $crate_::time::Sleep;

            fn start() -> Self {
                Scheduler::start(1)
            }

            fn run<F>(&self, future: F) -> F::Output
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                let _entered = <$scheduler>::enter();
                self.block_on(self.spawn_from_outside(future))
            }

            fn sleep(duration: Duration) -> Self::Sleep {
                $crate_::time::sleep(duration)
            }
        }
    };
}

timers_of_runtime!(Kamon, kamon);
timers_of_runtime!(Tokio, tokio);

struct AsyncIo;

impl Timers for AsyncIo {
    type Sleep = Timer;

    fn start() -> Self {
        AsyncIo
    }

    fn run<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        async_io::block_on(future)
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        Timer::after(duration)
    }
}

/// One timer after the other, beside so many that do not fire.
fn arm_and_cancel<T: Timers>(meter: &mut Meter<'_>, pending: usize) {
    let timers = T::start();
    let pending = timers.run(async move {
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut pending = Vec::with_capacity(pending);
        for _ in 0..pending.capacity() {
            let duration = HOUR + MILLISECOND * random.u32(..3_600_000);
            pending.push(armed::<T>(duration).await);
        }
        pending
    });
    meter.run(|iterations| {
        timers.run(async move {
            let begin = Instant::now();
            for _ in 0..iterations {
                let mut sleep = pin!(T::sleep(HOUR));
                assert!(poll_once(sleep.as_mut()).await.is_pending());
            }
            begin.elapsed().as_nanos() as f64 / iterations as f64
        })
    });
    drop(pending);
}

/// Many timers that are due by the time the last of them is armed, or soon after.
fn arm_and_fire<T: Timers>(meter: &mut Meter<'_>) {
    let timers = T::start();
    meter.run(|iterations| {
        timers.run(async move {
            let begin = Instant::now();
            let mut armed_timers = Vec::with_capacity(FIRED_TOGETHER);
            for _ in 0..iterations {
                for _ in 0..FIRED_TOGETHER {
                    armed_timers.extend(armed::<T>(MILLISECOND).await);
                }
                for timer in armed_timers.drain(..) {
                    timer.await;
                }
            }
            begin.elapsed().as_nanos() as f64 / (iterations * FIRED_TOGETHER as u64) as f64
        })
    });
}

/// How much later than asked for a timer ends.
fn lateness<T: Timers>(meter: &mut Meter<'_>) {
    let timers = T::start();
    meter.run(|iterations| {
        timers.run(async move {
            let mut late = Duration::ZERO;
            for _ in 0..iterations {
                let begin = Instant::now();
                T::sleep(MILLISECOND).await;
                late += begin.elapsed().saturating_sub(MILLISECOND);
            }
            late.as_nanos() as f64 / iterations as f64
        })
    });
}

/// Returns the timer after its first poll, or `None` if it was due by then.
async fn armed<T: Timers>(duration: Duration) -> Option<Pin<Box<T::Sleep>>> {
    let mut sleep = Box::pin(T::sleep(duration));
    match poll_once(sleep.as_mut()).await {
        Poll::Ready(_) => None,
        Poll::Pending => Some(sleep),
    }
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
