//! How the tasks of a set say that they have ended.

use std::collections::VecDeque;
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use crate::sync::{Arc, Mutex};

/// The word that a task has ended, or might have.
#[derive(Clone, Copy)]
pub(super) struct Report {
    pub(super) key: usize,
    pub(super) number: u64,
}

/// The reports that nobody has looked at, first come first served.
///
/// Each entry's waker knows its own entry, so `join_next` looks at the tasks that have ended and
/// never at the rest.
pub(super) struct Reports {
    state: Mutex<ReportsState>,
}

struct ReportsState {
    queue: VecDeque<Report>,
    /// Who waits in `join_next`.
    waker: Option<Waker>,
    closed: bool,
}

impl Reports {
    pub(super) fn new() -> Reports {
        Reports {
            state: Mutex::new(ReportsState {
                queue: VecDeque::new(),
                waker: None,
                closed: false,
            }),
        }
    }

    pub(super) fn pop(&self) -> Option<Report> {
        self.state.lock().queue.pop_front()
    }

    pub(super) fn poll_pop(&self, cx: &mut TaskContext<'_>) -> Poll<Report> {
        let mut waker: Option<Waker> = None;
        loop {
            let mut state = self.state.lock();
            if let Some(report) = state.queue.pop_front() {
                return Poll::Ready(report);
            }
            if state
                .waker
                .as_ref()
                .is_some_and(|known| known.will_wake(cx.waker()))
            {
                return Poll::Pending;
            }
            // Wakers are cloned and dropped outside of the lock: that is somebody else's code.
            if let Some(waker) = waker.take() {
                let old = state.waker.replace(waker);
                drop(state);
                drop(old);
                return Poll::Pending;
            }
            drop(state);
            waker = Some(cx.waker().clone());
        }
    }

    fn push(&self, report: Report) {
        let waker = {
            let mut state = self.state.lock();
            if state.closed {
                return;
            }
            state.queue.push_back(report);
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes no further reports: the tasks that might send some have left the set.
    pub(super) fn close(&self) {
        let waker = {
            let mut state = self.state.lock();
            state.closed = true;
            state.queue = VecDeque::new();
            state.waker.take()
        };
        drop(waker);
    }
}

/// What an entry's task wakes when it ends.
pub(super) struct Reporter {
    pub(super) report: Report,
    pub(super) reports: Arc<Reports>,
}

impl Wake for Reporter {
    fn wake(self: Arc<Self>) {
        self.reports.push(self.report);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reports.push(self.report);
    }
}
