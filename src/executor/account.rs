//! The time of a future that a thread blocks on: charged to its spans, as a task's is.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::task::{Attribution, Id};

/// The account of a future that is polled, where time is attributed: open until dropped.
pub(crate) struct Account {
    wakes: Wakes,
    blocked_at: &'static Location<'static>,
}

impl Account {
    /// An account for a future that is about to be polled, where time is attributed.
    pub(crate) fn open(
        attribution: Option<Attribution>,
        blocked_at: &'static Location<'static>,
    ) -> Option<Account> {
        let wakes = Wakes {
            attribution: attribution?,
            id: Id::next(),
        };
        wakes.attribution.spawned(wakes.id);
        Some(Account { wakes, blocked_at })
    }

    /// What a wake of the future has to call.
    pub(crate) fn wakes(&self) -> Wakes {
        self.wakes
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.wakes.attribution.ended(self.wakes.id);
    }
}

/// Takes note of wakes of a future, known by its number.
#[derive(Clone, Copy)]
pub(crate) struct Wakes {
    attribution: Attribution,
    id: Id,
}

impl Wakes {
    #[cold]
    pub(crate) fn note(self) {
        self.attribution.woken(self.id);
    }
}

pin_project! {
    /// A future whose polls are turns of an account.
    pub(crate) struct Accounted<F> {
        #[pin]
        future: F,
        // After the future, whose spans may end with it.
        account: Option<Account>,
    }
}

impl<F> Accounted<F> {
    pub(crate) fn new(account: Option<Account>, future: F) -> Self {
        Accounted { future, account }
    }
}

impl<F: Future> Future for Accounted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let poll = || this.future.poll(cx);
        match this.account {
            None => poll(),
            Some(Account { wakes, blocked_at }) => {
                wakes.attribution.turn(wakes.id, blocked_at, poll)
            }
        }
    }
}
