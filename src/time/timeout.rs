//! `Timeout`: a future that gives another one so much time and no more.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::error::Elapsed;
use super::instant::Instant;
use super::sleep::{sleep_until, Sleep};
use crate::task::coop;

/// Gives `future` as much time as `duration`.
///
/// The future is polled first: if it is done, its output is returned however late it is. Dropping
/// the timeout drops the future. A duration that reaches beyond what the clock can show never ends.
///
/// # Errors
///
/// The future returned yields [`Elapsed`] if the time is over before `future` is done.
///
/// # Examples
///
/// ```
/// use std::future::pending;
/// use kamon::time::{timeout, Duration};
///
/// kamon::block_on(async {
///     assert_eq!(timeout(Duration::from_secs(5), async { 7 }).await, Ok(7));
///     assert!(timeout(Duration::from_millis(1), pending::<()>()).await.is_err());
/// });
/// ```
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    let delay = Instant::now().checked_add(duration).map(sleep_until);
    Timeout {
        value: future.into_future(),
        delay,
    }
}

/// Gives `future` time until `deadline`.
///
/// As [`timeout`] in all other respects.
///
/// # Errors
///
/// The future returned yields [`Elapsed`] if the deadline comes before `future` is done.
///
/// # Examples
///
/// ```
/// use std::future::pending;
/// use kamon::time::{timeout_at, Duration, Instant};
///
/// kamon::block_on(async {
///     let deadline = Instant::now() + Duration::from_millis(1);
///     assert!(timeout_at(deadline, pending::<()>()).await.is_err());
/// });
/// ```
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        value: future.into_future(),
        delay: Some(sleep_until(deadline)),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[derive(Debug)]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        #[pin]
        delay: Option<Sleep>,
    }
}

impl<T> Timeout<T> {
    /// Returns the future inside.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// Returns the future inside, to be changed.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// Returns the future inside and lets go of its deadline.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(output) = this.value.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let Some(delay) = this.delay.as_pin_mut() else {
            return Poll::Pending;
        };
        // A future that uses up the budget in every poll must not keep its deadline from being
        // looked at.
        let polled = if had_budget && !coop::has_budget_remaining() {
            coop::without_limit(|| delay.poll(cx))
        } else {
            delay.poll(cx)
        };
        polled.map(|()| Err(Elapsed::new()))
    }
}
