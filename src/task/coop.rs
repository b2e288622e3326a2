//! The cooperative budget: how a task that is always ready still yields.
//!
//! A task gets a budget of 128 operations for each poll. Every kamon future that makes progress
//! (a join, a timer, [`consume_budget`]) uses one of them; when none is left these futures
//! return `Pending`, wake the task at once, and so send it to the back of the queue. It is
//! tokio's scheme with tokio's number. tokio's own resources (sockets, channels) count against a
//! budget of tokio's, which kamon's runtimes see to as well: some turns in a row share one of about
//! the same size, and none begins without. A future that is ready all the time and asks nobody
//! has to call [`consume_budget`] or [`yield_now`](crate::task::yield_now).

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{ready, Context as TaskContext, Poll};

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
    std::future::poll_fn(|cx| poll_proceed(cx).map(|unit| unit.made_progress())).await;
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
        crate::lift_budget(|| without_limit(|| self.project().inner.poll(cx)))
    }
}

/// Calls `f` without a limit, and goes on with the budget as it was.
pub(crate) fn without_limit<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Budget);

    impl Drop for Restore {
        fn drop(&mut self) {
            with_budget(|budget| budget.set(self.0));
        }
    }

    let _restore = Restore(with_budget(|budget| budget.replace(Budget::UNLIMITED)));
    f()
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
/// For futures of one's own that may always be ready. The unit goes back when the guard is dropped
/// without [`made_progress`](RestoreOnPending::made_progress): an operation that turns out to have
/// nothing to do has cost nothing.
///
/// # Examples
///
/// ```
/// use std::task::{ready, Context, Poll};
/// use kamon::task::coop;
///
/// fn poll_next(numbers: &mut Vec<u32>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
///     let unit = ready!(coop::poll_proceed(cx));
///     let next = numbers.pop();
///     unit.made_progress();
///     Poll::Ready(next)
/// }
///
/// let mut numbers = vec![1, 2];
/// let next = std::future::poll_fn(|cx| poll_next(&mut numbers, cx));
/// assert_eq!(kamon::block_on(next), Some(2));
/// ```
#[inline]
pub fn poll_proceed(cx: &mut TaskContext<'_>) -> Poll<RestoreOnPending> {
    with_budget(|cell| match cell.get() {
        Budget(Some(0)) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        before => {
            cell.set(Budget(before.0.map(|units| units - 1)));
            Poll::Ready(RestoreOnPending {
                before: Cell::new(before),
                not_send: PhantomData,
            })
        }
    })
}

/// A unit of the budget, which [`poll_proceed`] took. Dropping it gives the unit back, unless
/// progress was made.
#[must_use = "dropping it gives the unit back"]
#[derive(Debug)]
pub struct RestoreOnPending {
    /// What there was before; without a limit there is nothing to give back.
    before: Cell<Budget>,
    /// Belongs to the thread that polls.
    not_send: PhantomData<*mut ()>,
}

impl RestoreOnPending {
    /// Says that the operation has done something: the unit is used up.
    #[inline]
    pub fn made_progress(&self) {
        self.before.set(Budget::UNLIMITED);
    }
}

impl Drop for RestoreOnPending {
    #[inline]
    fn drop(&mut self) {
        let before = self.before.get();
        if before != Budget::UNLIMITED {
            with_budget(|budget| budget.set(before));
        }
    }
}

/// Makes a future count against the task's budget: one unit for its output.
///
/// # Examples
///
/// ```
/// use kamon::task::coop::cooperative;
///
/// assert_eq!(kamon::block_on(cooperative(async { 7 })), 7);
/// ```
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}

pin_project! {
    /// Future returned by [`cooperative`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Coop<F: Future> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let unit = ready!(poll_proceed(cx));
        let polled = self.project().future.poll(cx);
        if polled.is_ready() {
            unit.made_progress();
        }
        polled
    }
}
