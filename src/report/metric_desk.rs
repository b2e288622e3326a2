//! What a metric reporter is called by, and its account.

use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use crate::report::settings::Settings;
use crate::report::MetricReporterStats;
use crate::sync::{now, Condvar, Mutex};

/// What a metric reporter is called by, and its account.
pub(crate) struct MetricDesk {
    name: String,
    settings: Settings,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    reported: u64,
    dropped: u64,
    failures: u64,
    last_error: Option<String>,
    flushes_asked: u64,
    flushes_done: u64,
    /// The reporter is to report once more and end.
    closing: bool,
    stopped: bool,
    /// Wakes the thread that waits for a call or a tick.
    waker: Option<Waker>,
}

/// What the thread is to do besides reporting at every tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    /// Report at once what there is. With the flush's number.
    Flush(u64),
    /// The same, and end.
    Close,
}

impl MetricDesk {
    pub(crate) fn new(name: String, settings: Settings) -> Self {
        MetricDesk {
            name,
            settings,
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Whether the thread is called.
    pub(crate) fn poll_call(&self, cx: &mut TaskContext<'_>) -> Poll<Call> {
        let mut state = self.state.lock();
        if state.flushes_asked > state.flushes_done {
            return Poll::Ready(Call::Flush(state.flushes_asked));
        }
        if state.closing {
            return Poll::Ready(Call::Close);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The reporter is done with a period.
    pub(crate) fn settle(&self, reported: bool) {
        let mut state = self.state.lock();
        match reported {
            true => state.reported += 1,
            false => state.dropped += 1,
        }
    }

    /// The reporter is done with a flush.
    pub(crate) fn settle_flush(&self, flush: u64) {
        self.state.lock().flushes_done = flush;
        self.changed.notify_all();
    }

    /// The reporter has failed.
    pub(crate) fn failed(&self, message: String) {
        let mut state = self.state.lock();
        state.failures += 1;
        state.last_error = Some(message);
    }

    /// The thread leaves the reporter alone for a while; not where somebody waits for it.
    pub(crate) fn rest(&self, pause: Duration) {
        let called = |state: &State| state.closing || state.flushes_asked > state.flushes_done;
        self.await_that(now() + pause, called);
    }

    /// Asks the reporter to report at once. Returns the flush's number.
    pub(crate) fn ask_for_flush(&self) -> u64 {
        self.call(|state| {
            state.flushes_asked += 1;
            state.flushes_asked
        })
    }

    /// Waits for a flush. Returns whether it was done in time.
    pub(crate) fn await_flush(&self, flush: u64, deadline: Instant) -> bool {
        let done = |state: &State| state.flushes_done >= flush || state.stopped;
        self.await_that(deadline, done)
    }

    /// Asks the reporter to report once more and end.
    pub(crate) fn close(&self) {
        self.call(|state| state.closing = true);
    }

    /// Waits until the reporter has ended. Returns whether it was in time.
    pub(crate) fn await_end(&self, deadline: Instant) -> bool {
        self.await_that(deadline, |state| state.stopped)
    }

    /// The reporter has ended.
    pub(crate) fn stopped(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(crate) fn stats(&self) -> MetricReporterStats {
        let state = self.state.lock();
        MetricReporterStats {
            name: self.name.clone(),
            reported: state.reported,
            dropped: state.dropped,
            failures: state.failures,
            last_error: state.last_error.clone(),
        }
    }

    fn call<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock();
        let result = change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    /// Waits for something. Returns whether it came before the deadline.
    fn await_that(&self, deadline: Instant, came: impl Fn(&State) -> bool) -> bool {
        let mut state = self.state.lock();
        while !came(&state) {
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left);
        }
        true
    }
}
