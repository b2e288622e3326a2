//! tokio's cooperative budget on the threads that poll kamon tasks.
//!
//! tokio's sockets, channels and timers count what they do against a budget that tokio's scheduler
//! sets before each poll, so that a task which finds them ready all the time yields nevertheless.
//! Outside of that scheduler the budget has no limit. This file gives one to kamon's tasks.
//!
//! All it needs is public: [`poll_proceed`] takes a unit of the thread's budget, and dropping the
//! unit sets the budget to what it was before. So a unit that was taken when the budget was full,
//! which it is for once inside of tokio's own `block_on`, is a way to fill it again at any time.
//! Each thread keeps one. Using it costs a few nanoseconds, so that is done every few turns, and
//! at the beginning of a turn for which nothing would be left.

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::coop::{has_budget_remaining, poll_proceed, RestoreOnPending};
use tokio::task::unconstrained;

use crate::sync::tls;

/// How many turns share a budget, as long as they do not use it up.
const TURNS: u8 = 8;

tls! {
    static BUDGET: Budget = Budget {
        entered: Cell::new(0),
        limited: Cell::new(false),
        turns: Cell::new(0),
        unit: Cell::new(None),
    };
}

struct Budget {
    /// How many kamon runtimes this thread is inside of.
    entered: Cell<usize>,
    /// Whether there is a unit, to be used here.
    limited: Cell<bool>,
    /// How many turns may still use what is left.
    turns: Cell<u8>,
    /// Never dropped with the thread, when tokio's own thread-locals may have gone.
    unit: Cell<Option<ManuallyDrop<RestoreOnPending>>>,
}

/// Begins to limit this thread, until the guard is dropped, to tokio's budget in each turn.
///
/// A thread that is inside of somebody's tokio runtime is left alone: its budget is that runtime's
/// business.
pub(super) fn limit(handle: &Handle) -> Limited {
    BUDGET.with(|budget| {
        let entered = budget.entered.get();
        if entered == 0 && Handle::try_current().is_err() {
            budget.ensure_unit(handle);
            budget.limited.set(true);
        }
        budget.entered.set(entered + 1);
    });
    Limited
}

/// This thread is inside of a kamon runtime.
pub(super) struct Limited;

impl Drop for Limited {
    fn drop(&mut self) {
        BUDGET.with(|budget| {
            let entered = budget.entered.get() - 1;
            budget.entered.set(entered);
            if entered == 0 {
                budget.limited.set(false);
            }
        });
    }
}

/// Sees to it that the turn which begins has something of tokio's budget.
#[inline]
pub(crate) fn renew_budget() {
    BUDGET.with(|budget| {
        if !budget.limited.get() {
            return;
        }
        match budget.turns.get() {
            0 => budget.fill(),
            _ if !has_budget_remaining() => budget.fill(),
            turns => budget.turns.set(turns - 1),
        }
    });
}

/// Calls `f` without a limit to what tokio's resources do, and puts back what there was.
pub(crate) fn lift_budget<R>(f: impl FnOnce() -> R) -> R {
    let mut f = Some(f);
    let once = poll_fn(|_| match f.take() {
        Some(f) => Poll::Ready(f()),
        None => Poll::Pending,
    });
    let mut cx = TaskContext::from_waker(Waker::noop());
    match pin!(unconstrained(once)).poll(&mut cx) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("it is ready at its first poll"),
    }
}

impl Budget {
    fn ensure_unit(&self, handle: &Handle) {
        let unit = self.unit.take().unwrap_or_else(|| {
            // No tokio runtime is entered on this thread, so that this one may block: not at all,
            // since the budget is full.
            ManuallyDrop::new(handle.block_on(poll_fn(poll_proceed)))
        });
        self.unit.set(Some(unit));
    }

    fn fill(&self) {
        drop(self.unit.take().map(ManuallyDrop::into_inner));
        let mut cx = TaskContext::from_waker(Waker::noop());
        if let Poll::Ready(unit) = poll_proceed(&mut cx) {
            self.unit.set(Some(ManuallyDrop::new(unit)));
            self.turns.set(TURNS - 1);
        }
    }
}
