//! The time of a future that a thread blocks on: charged to its spans, as a task's is.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::task::{Attribution, Id};

/// Under which number the future is known to those who attribute its time, until dropped.
pub(crate) struct Account {
    attribution: Attribution,
    id: Id,
    blocked_at: &'static Location<'static>,
}

impl Account {
    /// An account for a future that is about to be polled, where time is attributed.
    pub(crate) fn open(
        attribution: Option<Attribution>,
        blocked_at: &'static Location<'static>,
    ) -> Option<Account> {
        let account = Account {
            attribution: attribution?,
            id: Id::next(),
            blocked_at,
        };
        account.attribution.spawned(account.id);
        Some(account)
    }

    /// What a wake of the future has to call.
    pub(crate) fn wakes(&self) -> Wakes {
        Wakes {
            attribution: self.attribution,
            id: self.id,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.attribution.ended(self.id);
    }
}

/// Takes note of wakes.
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
            Some(account) => account
                .attribution
                .turn(account.id, account.blocked_at, poll),
        }
    }
}
