//! A clock that stands still, for tests: `pause`, `resume`, `advance`.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::current;
use super::timers::Timers;
use crate::sync::Arc;

/// Stops the clock of the current runtime.
///
/// [`Instant::now`](super::Instant::now) stands still from then on, and timers go by it. When the
/// runtime has nothing left to run, the clock jumps to the next deadline: a test that sleeps for an
/// hour takes no time. Only a runtime of one thread can do that.
///
/// The timers of `tokio::time` have a clock of their own, which goes on: for what sleeps there, a clock that
/// jumps ahead here may be too fast. It waits for closures of [`spawn_blocking`](crate::spawn_blocking) before it jumps,
/// and not for those of tokio's own, which `tokio::fs` is made of.
///
/// # Panics
///
/// Panics outside of a current-thread runtime, and if the clock is paused already.
///
/// # Examples
///
/// ```
/// use kamon::time::{self, Duration, Instant};
///
/// let runtime = kamon::runtime::Builder::new_current_thread().build()?;
/// runtime.block_on(async {
///     time::pause();
///     let start = Instant::now();
///     time::sleep(Duration::from_secs(3600)).await;
///     assert!(start.elapsed() >= Duration::from_secs(3600));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
pub fn pause() {
    let timers = timers();
    timers.clock().pause();
    timers.unpark();
}

/// Lets the clock of the current runtime run again, from what it shows.
///
/// # Panics
///
/// Panics outside of a runtime, and if its clock is not paused.
#[track_caller]
pub fn resume() {
    let timers = timers();
    timers.clock().resume();
    timers.unpark();
}

/// Moves the paused clock of the current runtime ahead by `duration`, at once.
///
/// What is due then is woken in the order of the deadlines, but every task that it wakes sees the
/// new time: to live through the time in between, sleep. The future yields once, so that the tasks
/// that were woken come before the one that waits for this.
///
/// # Panics
///
/// Panics when polled outside of a runtime or while its clock is not paused.
///
/// # Examples
///
/// ```
/// use kamon::time::{self, Duration, Instant};
///
/// let runtime = kamon::runtime::Builder::new_current_thread().start_paused(true).build()?;
/// runtime.block_on(async {
///     let start = Instant::now();
///     time::advance(Duration::from_secs(60)).await;
///     assert_eq!(start.elapsed(), Duration::from_secs(60));
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn advance(duration: Duration) {
    move_clock(duration);
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Apart from the future, which therefore holds no timers while it yields.
fn move_clock(duration: Duration) {
    let timers = timers();
    if let Err(message) = timers.clock().advance(duration) {
        panic!("{message}");
    }
    timers.turn();
}

#[track_caller]
fn timers() -> Arc<Timers> {
    match current::timers() {
        Some(timers) => timers,
        None => panic!("time cannot be frozen from outside a kamon runtime"),
    }
}
