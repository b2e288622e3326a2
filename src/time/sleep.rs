//! `Sleep`: a future that is done at an instant.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::far::capped;
use super::instant::Instant;
use super::timer::Timer;

/// Waits until `duration` has gone by.
///
/// The resolution is a millisecond, rounded up: a sleep never ends early. Nothing is armed until
/// the future is polled first, and dropping it disarms it. It may be polled by any executor; the
/// runtime that was current when it was made drives it, or the global one if there was none.
/// Durations beyond some thirty years count as that long.
///
/// # Panics
///
/// The future panics when it is polled before its time is over and its runtime was shut down: it
/// would wait for ever.
///
/// # Examples
///
/// ```
/// use kamon::time::{sleep, Duration, Instant};
///
/// kamon::block_on(async {
///     let start = Instant::now();
///     sleep(Duration::from_millis(5)).await;
///     assert!(start.elapsed() >= Duration::from_millis(5));
/// });
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now() + capped(duration))
}

/// Waits until `deadline`.
///
/// As [`sleep`] in all other respects. A deadline that lies behind is done at the first poll.
///
/// # Examples
///
/// ```
/// use kamon::time::{sleep_until, Duration, Instant};
///
/// kamon::block_on(async {
///     let deadline = Instant::now() + Duration::from_millis(5);
///     sleep_until(deadline).await;
///     assert!(Instant::now() >= deadline);
/// });
/// ```
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        deadline,
        timer: Timer::new(),
    }
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    ///
    /// It stays done once it is done, until it is [reset](Sleep::reset). As in tokio it is
    /// `!Unpin`: to poll it through a reference, pin it with `std::pin::pin!` or `Box::pin`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    /// use kamon::time::{sleep, Duration, Instant};
    ///
    /// kamon::block_on(async {
    ///     let mut sleep = pin!(sleep(Duration::from_secs(3600)));
    ///     sleep.as_mut().reset(Instant::now() + Duration::from_millis(1));
    ///     sleep.as_mut().await;
    ///     assert!(sleep.is_elapsed());
    /// });
    /// ```
    #[project(!Unpin)]
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        deadline: Instant,
        timer: Timer,
    }
}

impl Sleep {
    /// Returns the instant at which this is done.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns whether the deadline was reached. Before the first poll it says no.
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed(self.deadline)
    }

    /// Changes the deadline, whether the old one was reached or not.
    ///
    /// A task that waits is woken at the new deadline without polling again. After the sleep was
    /// done it has to.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        let old = std::mem::replace(this.deadline, deadline);
        this.timer.reset(old, deadline);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.project();
        this.timer.poll(*this.deadline, cx)
    }
}
