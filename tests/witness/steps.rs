//! Futures that go in steps.

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use super::Log;

/// A future that notes each `poll`, is pending for some polls (waking itself, or not), and is
/// ready or panics then.
pub(crate) struct Steps {
    log: Log,
    pending: usize,
    wakes: bool,
    panics: bool,
}

impl Steps {
    /// Ready in the poll after so many pending ones, each of which wakes the task.
    pub(crate) fn ready_after(log: &Log, pending: usize) -> Steps {
        Steps {
            log: log.clone(),
            pending,
            wakes: true,
            panics: false,
        }
    }

    /// Never ready, and never awake by itself.
    pub(crate) fn never(log: &Log) -> Steps {
        Steps {
            log: log.clone(),
            pending: usize::MAX,
            wakes: false,
            panics: false,
        }
    }

    /// Panics in the poll after so many pending ones.
    pub(crate) fn panics_after(log: &Log, pending: usize) -> Steps {
        Steps {
            panics: true,
            ..Steps::ready_after(log, pending)
        }
    }
}

impl Future for Steps {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.log.note("poll");
        if self.pending == 0 {
            if self.panics {
                quiet_panic("planned");
            }
            return Poll::Ready(());
        }
        if self.pending < usize::MAX {
            self.pending -= 1;
        }
        if self.wakes {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Ends the poll once: pending the first time, and awake at once.
pub(crate) async fn pause() {
    let mut first = true;
    poll_fn(|cx| {
        if std::mem::take(&mut first) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// A future with something that it owns, dropped with it.
pub(crate) async fn after<T, F: Future>(owned: T, future: F) -> F::Output {
    let output = future.await;
    drop(owned);
    output
}

/// Polls once with a waker that does nothing.
pub(crate) fn poll_by_hand<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// Panics without a message on the screen.
pub(crate) fn quiet_panic<T: Send + 'static>(payload: T) -> ! {
    std::panic::resume_unwind(Box::new(payload))
}
