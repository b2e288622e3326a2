//! The cooperative budget: how a task that is always ready still yields.
//!
//! A task gets a budget of 128 operations for each poll. Every kamon future that makes progress
//! (a join, a timer, [`consume_budget`]) uses one of them; when none is left these futures
//! return `Pending`, wake the task at once, and so send it to the back of the queue. It is
//! tokio's scheme with tokio's number. tokio's own resources (sockets, channels) count against
//! a budget only inside tokio's own scheduler, which does not poll kamon tasks: a loop over a
//! channel that never runs dry has to call [`consume_budget`] or
//! [`yield_now`](crate::task::yield_now).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::task::current::with_budget;

/// Consumes one unit of the task's budget, and yields first if none is left.
///
/// # Examples
///
/// ```
/// async fn sum(numbers: Vec<u64>) -> u64 {
///     let mut sum = 0;
///     for number in numbers {
///         sum += number;
///         kamon::task::consume_budget().await;
///     }
///     sum
/// }
/// # assert_eq!(kamon::block_on(sum(vec![1, 2, 3])), 6);
/// ```
pub async fn consume_budget() {
    std::future::poll_fn(|cx| poll_proceed(cx).map(RestoreOnPending::made_progress)).await;
}

/// Returns whether the running task may go on without yielding.
///
/// Outside of a task the budget has no limit.
pub fn has_budget_remaining() -> bool {
    with_budget(|budget| budget.get() != Budget(Some(0)))
}

/// Turns the budget off for a future.
///
/// # Examples
///
/// ```
/// use kamon::task::{consume_budget, unconstrained};
///
/// kamon::block_on(unconstrained(async {
///     for _ in 0..1000 {
///         consume_budget().await; // never yields
///     }
/// }));
/// ```
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { inner }
}

pin_project! {
    /// Future returned by [`unconstrained`].
    #[must_use = "Unconstrained does nothing unless polled"]
    #[derive(Debug)]
    pub struct Unconstrained<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        struct Restore(Budget);
        impl Drop for Restore {
            fn drop(&mut self) {
                with_budget(|budget| budget.set(self.0));
            }
        }

        let _restore = Restore(with_budget(|budget| budget.replace(Budget::UNLIMITED)));
        self.project().inner.poll(cx)
    }
}

/// What is left of a poll's budget; `None` is without a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget(Option<u8>);

impl Budget {
    pub(crate) const INITIAL: Budget = Budget(Some(128));
    pub(crate) const UNLIMITED: Budget = Budget(None);
}

/// Takes one unit of the budget, or wakes the task and returns `Pending` if none is left.
///
/// The unit goes back when the guard is dropped without a word: an operation that turns out to
/// have nothing to do has cost nothing.
#[inline]
pub(crate) fn poll_proceed(cx: &mut TaskContext<'_>) -> Poll<RestoreOnPending> {
    with_budget(|cell| match cell.get() {
        Budget(Some(0)) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        before => {
            cell.set(Budget(before.0.map(|units| units - 1)));
            Poll::Ready(RestoreOnPending(before))
        }
    })
}

/// Gives the unit back unless progress was made.
pub(crate) struct RestoreOnPending(Budget);

impl RestoreOnPending {
    #[inline]
    pub(crate) fn made_progress(self) {
        std::mem::forget(self);
    }
}

impl Drop for RestoreOnPending {
    #[inline]
    fn drop(&mut self) {
        with_budget(|budget| budget.set(self.0));
    }
}
