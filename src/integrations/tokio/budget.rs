//! tokio's cooperative budget on the threads that poll kamon tasks.
//!
//! tokio's sockets, channels and timers count what they do against a budget that tokio's scheduler
//! sets before each poll, so that a task which finds them ready all the time yields nevertheless.
//! Outside of that scheduler the budget has no limit. This file gives one to kamon's tasks.
//!
//! All it needs is public: [`poll_proceed`] takes a unit of the thread's budget, and dropping the
//! unit sets the budget to what it was before. So a unit that was taken when the budget was full,
//! which it is in each poll inside of tokio's own `block_on`, is a way to fill the budget again at
//! any time. Each thread keeps a stock of them.
//!
//! The future of a `block_on` begins each poll with a full budget and takes a unit from the stock
//! for it. Tasks have more turns than that: some turns in a row share a budget, which is filled
//! early when nothing is left, by dropping a unit and taking it again, so one below full.

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use tokio::runtime::{Handle, Id};
use tokio::task::coop::{has_budget_remaining, poll_proceed, RestoreOnPending};
use tokio::task::unconstrained;

use crate::sync::tls;

/// How many turns share a budget, as long as they do not use it up.
const TURNS: u8 = 8;
/// How many units a thread keeps at most.
const STOCK: usize = 32;

/// Never dropped with the thread, when tokio's own thread-locals may have gone.
type Unit = ManuallyDrop<RestoreOnPending>;

tls! {
    static BUDGET: Budget = Budget {
        inside: Cell::new(None),
        limited: Cell::new(false),
        turns: Cell::new(0),
        stocked: Cell::new(0),
        stock: [const { Cell::new(None) }; STOCK],
    };
}

struct Budget {
    /// Which kamon runtime's tokio runtime this thread has entered last.
    inside: Cell<Option<Id>>,
    /// Whether there are units, to be used here.
    limited: Cell<bool>,
    /// How many turns may still use what is left.
    turns: Cell<u8>,
    stocked: Cell<usize>,
    /// The units, each taken from a full budget, in the first `stocked` places.
    stock: [Cell<Option<Unit>>; STOCK],
}

/// Begins to limit this thread, until the guard is dropped, to tokio's budget in each turn.
///
/// A thread that is inside of somebody's tokio runtime is left alone: its budget is that runtime's
/// business.
pub(super) fn limit(handle: &Handle) -> Limited {
    BUDGET.with(|budget| {
        let inside = Handle::try_current().ok().map(|handle| handle.id());
        let previous = (budget.limited.get(), budget.inside.get());
        let limited = match inside {
            None => true,
            // Nothing of tokio's was entered since the kamon runtime around this one.
            Some(_) => previous.0 && inside == previous.1,
        };
        // Inside of a runtime there are some since the thread entered the outermost one, and tokio does
        // not allow to block there: this may be a future that somebody blocks on by tokio's handle.
        if inside.is_none() {
            budget.restock(handle);
        }
        budget.limited.set(limited);
        budget.inside.set(Some(handle.id()));
        Limited { previous }
    })
}

/// Leaves this thread's budget alone until the guard is dropped: it is in the driver, where tokio
/// polls its own tasks.
pub(super) fn leave_alone() -> Limited {
    BUDGET.with(|budget| Limited {
        previous: (budget.limited.replace(false), budget.inside.get()),
    })
}

/// This thread is inside of a kamon runtime, or in its driver.
pub(super) struct Limited {
    previous: (bool, Option<Id>),
}

impl Drop for Limited {
    fn drop(&mut self) {
        BUDGET.with(|budget| {
            budget.limited.set(self.previous.0);
            budget.inside.set(self.previous.1);
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
            0 => budget.refill(),
            _ if !has_budget_remaining() => budget.refill(),
            turns => budget.turns.set(turns - 1),
        }
    });
}

/// Gives the poll that begins all of tokio's budget.
pub(crate) fn fill_budget() {
    BUDGET.with(|budget| {
        if budget.limited.get() {
            budget.fill();
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
    /// Fills the budget but for one.
    fn refill(&self) {
        let Some(unit) = self.take() else { return };
        drop(unit);
        let mut cx = TaskContext::from_waker(Waker::noop());
        if let Poll::Ready(unit) = poll_proceed(&mut cx) {
            self.put(unit);
        }
        self.turns.set(TURNS - 1);
    }

    /// Fills the budget.
    fn fill(&self) {
        if self.stocked.get() <= 1 {
            // The innermost runtime is a kamon one, outside of all tokio tasks: this may block.
            self.restock(&Handle::current());
        }
        drop(self.take());
        self.turns.set(TURNS - 1);
    }

    fn take(&self) -> Option<RestoreOnPending> {
        let last = self.stocked.get().checked_sub(1)?;
        self.stocked.set(last);
        self.stock[last].take().map(ManuallyDrop::into_inner)
    }

    fn put(&self, unit: RestoreOnPending) {
        let stocked = self.stocked.get();
        if stocked < STOCK {
            self.stock[stocked].set(Some(ManuallyDrop::new(unit)));
            self.stocked.set(stocked + 1);
        }
    }

    /// Takes units, one in each poll of a future that tokio blocks on without waiting.
    fn restock(&self, handle: &Handle) {
        if self.stocked.get() > 1 {
            return;
        }
        handle.block_on(poll_fn(|cx| {
            if let Poll::Ready(unit) = poll_proceed(cx) {
                self.put(unit);
            }
            if self.stocked.get() == STOCK {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
    }
}
