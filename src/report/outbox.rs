//! What lies between the drain and one reporter: a bounded queue, and the reporter's account.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::report::batch::Batch;
use crate::report::settings::Settings;
use crate::report::{DropReason, Dropped, ReporterStats};
use crate::sync::{now, Condvar, Mutex, MutexGuard};

/// A bounded queue of spans for one reporter, and the reporter's account.
///
/// The drain puts batches in and waits for nobody; the reporter's courier takes them out. Every
/// span that was offered is counted in one place: reported, dropped or waiting.
pub(crate) struct Outbox {
    name: String,
    settings: Settings,
    state: Mutex<State>,
    /// Something has changed for those who wait, on either side.
    changed: Condvar,
}

struct State {
    queue: VecDeque<Parcel>,
    /// Spans in the queue, and those that the courier has in hand.
    waiting: u64,
    handed: u64,
    reported: u64,
    dropped: Dropped,
    failures: u64,
    last_error: Option<String>,
    /// Flushes that were asked for, and those that are done.
    flushes_asked: u64,
    flushes_done: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Open,
    /// The courier delivers what is there and ends.
    Closing,
    /// The reporter has stopped.
    Stopped,
    /// Nobody waits for the courier any more: what it still had is accounted for.
    Abandoned,
}

/// What the courier takes out.
pub(crate) enum Parcel {
    Spans(Batch),
    Flush,
}

/// What became of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Delivery {
    Reported,
    Dropped(DropReason),
}

impl Outbox {
    pub(crate) fn new(name: String, settings: Settings) -> Self {
        Outbox {
            name,
            settings,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                waiting: 0,
                handed: 0,
                reported: 0,
                dropped: Dropped::default(),
                failures: 0,
                last_error: None,
                flushes_asked: 0,
                flushes_done: 0,
                phase: Phase::Open,
            }),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Puts a batch in, or drops it if there is no room. An empty queue has room for any.
    pub(crate) fn offer(&self, batch: &Batch) {
        let number = batch.len() as u64;
        let mut state = self.state.lock();
        state.handed += number;
        if state.phase != Phase::Open {
            state.dropped.add(DropReason::Shutdown, number);
        } else if state.waiting > 0 && state.waiting + number > self.settings.queue_spans as u64 {
            state.dropped.add(DropReason::QueueFull, number);
        } else {
            state.waiting += number;
            state.queue.push_back(Parcel::Spans(batch.clone()));
            self.changed.notify_all();
        }
    }

    /// The courier takes what is next; `None` if there will be nothing any more. Waits for it.
    pub(crate) fn take(&self) -> Option<Parcel> {
        let mut state = self.state.lock();
        loop {
            if state.phase == Phase::Abandoned {
                return None;
            }
            match state.queue.pop_front() {
                Some(parcel) => return Some(parcel),
                None if state.phase == Phase::Open => state = self.changed.wait(state),
                None => return None,
            }
        }
    }

    /// The courier is done with so many spans.
    pub(crate) fn settle(&self, number: usize, delivery: Delivery) {
        let number = number as u64;
        let mut state = self.state.lock();
        if state.phase == Phase::Abandoned {
            return;
        }
        state.waiting -= number;
        match delivery {
            Delivery::Reported => state.reported += number,
            Delivery::Dropped(reason) => state.dropped.add(reason, number),
        }
    }

    /// The courier is done with a flush.
    pub(crate) fn settle_flush(&self) {
        self.state.lock().flushes_done += 1;
        self.changed.notify_all();
    }

    /// The reporter has failed.
    pub(crate) fn failed(&self, message: String) {
        let mut state = self.state.lock();
        state.failures += 1;
        state.last_error = Some(message);
    }

    /// The courier leaves the reporter alone for a while; not where somebody waits for it.
    pub(crate) fn rest(&self, pause: Duration) {
        let until = now() + pause;
        let mut state = self.state.lock();
        while state.phase == Phase::Open && state.flushes_asked == state.flushes_done {
            let left = until.saturating_duration_since(now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left);
        }
    }

    /// Asks the reporter to send out everything that it was handed. Returns the flush's number.
    pub(crate) fn ask_for_flush(&self) -> u64 {
        let mut state = self.state.lock();
        // Two in a row are one.
        if !matches!(state.queue.back(), Some(Parcel::Flush)) {
            state.flushes_asked += 1;
            state.queue.push_back(Parcel::Flush);
            self.changed.notify_all();
        }
        state.flushes_asked
    }

    /// Waits for a flush. Returns whether it was done in time.
    pub(crate) fn await_flush(&self, flush: u64, deadline: Instant) -> bool {
        let done = |state: &State| state.flushes_done >= flush || state.has_ended();
        done(&self.await_that(deadline, done))
    }

    /// Takes in nothing more.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
            self.changed.notify_all();
        }
    }

    /// Waits until the reporter has stopped. If it has not in time, what it still has is dropped.
    /// Returns whether it was in time.
    pub(crate) fn await_end(&self, deadline: Instant) -> bool {
        let mut state = self.await_that(deadline, State::has_ended);
        let in_time = state.has_ended();
        if !in_time {
            let waiting = std::mem::take(&mut state.waiting);
            state.dropped.add(DropReason::Shutdown, waiting);
            state.queue.clear();
            state.phase = Phase::Abandoned;
            self.changed.notify_all();
        }
        in_time
    }

    /// The reporter has stopped.
    pub(crate) fn stopped(&self) {
        let mut state = self.state.lock();
        if state.phase != Phase::Abandoned {
            state.phase = Phase::Stopped;
        }
        self.changed.notify_all();
    }

    pub(crate) fn stats(&self) -> ReporterStats {
        let state = self.state.lock();
        ReporterStats {
            name: self.name.clone(),
            handed: state.handed,
            reported: state.reported,
            waiting: state.waiting,
            dropped: state.dropped,
            failures: state.failures,
            last_error: state.last_error.clone(),
        }
    }

    fn await_that(
        &self,
        deadline: Instant,
        done: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        while !done(&state) {
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left);
        }
        state
    }
}

impl State {
    /// Whether every span is accounted for and none will be reported any more.
    fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Stopped | Phase::Abandoned)
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::trace::{SpanId, SpanRecord, TraceId};

    #[test]
    fn what_finds_no_room_is_dropped_and_an_empty_queue_has_room_for_any() {
        let settings = Settings {
            queue_spans: 10,
            ..Settings::DEFAULT
        };
        let outbox = Outbox::new("test".into(), settings);
        let span = SpanRecord::new(TraceId::new(1), SpanId::new(1), "work");
        let offer = |number| outbox.offer(&Batch::from(vec![span.clone(); number]));
        let account = || {
            let stats = outbox.stats();
            let full = stats.dropped.because(DropReason::QueueFull);
            (stats.handed, stats.waiting, full, stats.reported)
        };
        offer(6);
        offer(5);
        assert_eq!(account(), (11, 6, 5, 0));
        offer(4);
        assert_eq!(account(), (15, 10, 5, 0));
        for number in [6, 4] {
            assert!(outbox.take().is_some());
            outbox.settle(number, Delivery::Reported);
        }
        offer(512);
        assert_eq!(account(), (527, 512, 5, 10));
        assert!(!outbox.await_end(now()));
        assert_eq!(account(), (527, 0, 5, 10));
        assert_eq!(outbox.stats().dropped.because(DropReason::Shutdown), 512);
    }
}
