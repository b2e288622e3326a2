//! The drain: takes spans out of the rings and hands them to the reporters.

use std::time::Instant;

use crate::report::batch::{Batch, LARGEST};
use crate::report::courier;
use crate::report::doomed::Ages;
use crate::report::embedded::EMBEDDED;
use crate::report::lanes::LANES;
use crate::report::metric_desks::METRIC_DESKS;
use crate::report::observed::observe_spans;
use crate::report::outbox::Outbox;
use crate::report::settings::SETTINGS;
use crate::report::{DropReason, Dropped, ReportStats, SpanReporter};
use crate::sync::statics::Mutex;
use crate::sync::thread::{self, Thread};
use crate::sync::Arc;
use crate::trace::{self, without_tracing, FinishedSpan, SpanRecord, Tie};

/// The drain of the process.
pub(crate) static DRAIN: Drain = Drain::new();

/// Takes spans out of the rings and hands them to the reporters.
///
/// Whoever needs the spans does the work: its own thread, called when a ring is half full and once
/// in an interval, and those who flush or read.
pub(crate) struct Drain {
    /// One thread drains at a time. What it hands a span to neither blocks nor is the user's.
    state: Mutex<State>,
    reporters: Mutex<Vec<Arc<Outbox>>>,
    sleeper: Mutex<Sleeper>,
}

/// The drain's thread, as those see it who call it.
struct Sleeper {
    /// Which of the threads that were started is to go on; the others end.
    number: u64,
    started: bool,
    /// Set by the thread itself. Until then there is nothing to wake: it has not looked yet.
    thread: Option<Thread>,
}

/// How many batches are kept for their memory.
const MOST_OLDER: usize = 4;

struct State {
    /// Spans that were handed to the reporters.
    reported: u64,
    /// Spans that were dropped on the way there.
    dropped: Dropped,
    /// Spans that are about to be handed on.
    batch: Vec<SpanRecord>,
    /// Spans that nobody looks at any more: their memory is for those that come.
    older: Vec<Vec<SpanRecord>>,
    ages: Ages,
    /// What is taken out of a ring now comes too late.
    closed: bool,
}

impl Drain {
    const fn new() -> Self {
        Drain {
            state: Mutex::new(State::new()),
            reporters: Mutex::new(Vec::new()),
            sleeper: Mutex::new(Sleeper {
                number: 0,
                started: false,
                thread: None,
            }),
        }
    }

    /// Hands on everything that was recorded before. Returns how many spans that were.
    pub(crate) fn pass(&self) -> usize {
        self.pass_with(&mut self.state.lock())
    }

    fn pass_with(&self, state: &mut State) -> usize {
        let reporters = self.reporters.lock().clone();
        let tie = Tie::current();
        let number = LANES.drain(|span| state.take(span, &tie, &reporters));
        state.hand_on(&reporters);
        LANES.gate.forgive(&mut state.ages, Instant::now());
        number
    }

    /// The accounts.
    pub(crate) fn stats(&self) -> ReportStats {
        let mut state = self.state.lock();
        if state.closed {
            // Recorders that had passed the gate when it was closed.
            self.pass_with(&mut state);
        }
        let reporters = self.reporters.lock().clone();
        // A reporter is handed spans under the lock held here, so its account fits this one.
        let reporters = reporters.iter().map(|reporter| reporter.stats()).collect();
        let (waiting, mut dropped) = LANES.count();
        dropped.add_all(&state.dropped);
        ReportStats {
            recorded: state.reported + waiting + dropped.total(),
            reported: state.reported,
            waiting,
            dropped,
            reporters,
            metric_reporters: METRIC_DESKS.stats(),
        }
    }

    /// Adds a reporter, which gets what is recorded from now on.
    pub(crate) fn add(&self, reporter: Box<dyn SpanReporter>) -> Arc<Outbox> {
        let name = reporter.name().to_owned();
        let outbox = Arc::new(Outbox::new(name, *SETTINGS.lock()));
        if let Err(error) = courier::start(reporter, outbox.clone()) {
            outbox.failed(error.to_string());
            outbox.stopped();
            return outbox;
        }
        let mut state = self.state.lock();
        // What is in the rings is of the time before.
        self.pass_with(&mut state);
        self.reporters.lock().push(outbox.clone());
        outbox
    }

    /// Takes a reporter out of those that are handed spans, once it was handed everything that was
    /// recorded before.
    pub(crate) fn remove(&self, outbox: &Arc<Outbox>) {
        let mut state = self.state.lock();
        self.pass_with(&mut state);
        let is_other = |other: &Arc<Outbox>| !Arc::ptr_eq(other, outbox);
        self.reporters.lock().retain(is_other);
    }

    /// The reporters, once they have been handed everything that was recorded before.
    pub(crate) fn reporters_after_pass(&self) -> Vec<Arc<Outbox>> {
        self.pass();
        self.reporters.lock().clone()
    }

    /// Hands on everything that was recorded before, and nothing that comes after. Returns the
    /// reporters, which are handed nothing more.
    pub(crate) fn close(&self) -> Vec<Arc<Outbox>> {
        LANES.gate.close();
        trace::let_go();
        let mut state = self.state.lock();
        self.pass_with(&mut state);
        state.closed = true;
        let reporters = self.reporters.lock().clone();
        drop(state);
        let mut sleeper = self.sleeper.lock();
        sleeper.started = false;
        sleeper.number += 1;
        if let Some(thread) = sleeper.thread.take() {
            thread.unpark();
        }
        reporters
    }

    /// Goes on after it was closed, without the reporters that have stopped. Returns whether it was
    /// closed.
    pub(crate) fn reopen(&'static self) -> bool {
        let mut state = self.state.lock();
        if !state.closed {
            return false;
        }
        self.pass_with(&mut state);
        state.closed = false;
        // Some may have been added when it was closed.
        let stopped = std::mem::take(&mut *self.reporters.lock());
        stopped.iter().for_each(|reporter| reporter.close());
        LANES.gate.open();
        drop(state);
        self.call();
        true
    }

    /// Wakes the drain's thread, if there is one: what it goes by has changed.
    pub(crate) fn wake(&self) {
        if let Some(thread) = &self.sleeper.lock().thread {
            thread.unpark();
        }
    }

    /// Wakes the drain's thread, or starts it.
    #[cold]
    pub(crate) fn call(&'static self) {
        observe_spans();
        let mut sleeper = self.sleeper.lock();
        if let Some(thread) = &sleeper.thread {
            thread.unpark();
        } else if !sleeper.started && !LANES.gate.is_closed() {
            let number = sleeper.number;
            let builder = thread::Builder::new().name("kamon-drain".into());
            let thread = builder.spawn(move || without_tracing(|| self.run(number)));
            // If the system refuses a thread now, it may not at the next call; and a flush needs
            // none.
            sleeper.started = thread.is_ok();
        }
    }

    fn run(&self, number: u64) {
        let current = thread::current();
        loop {
            {
                let mut sleeper = self.sleeper.lock();
                if sleeper.number != number {
                    return;
                }
                sleeper.thread.get_or_insert_with(|| current.clone());
            }
            trace::expire();
            let passed = self.pass();
            let settings = *SETTINGS.lock();
            if !settings.is_much(passed) {
                thread::park_timeout(settings.drain_interval);
            }
        }
    }
}

impl State {
    const fn new() -> Self {
        State {
            reported: 0,
            dropped: Dropped::NONE,
            batch: Vec::new(),
            older: Vec::new(),
            ages: Ages::new(),
            closed: false,
        }
    }

    fn take(&mut self, span: FinishedSpan, tie: &Tie, reporters: &[Arc<Outbox>]) {
        if self.closed {
            self.dropped.add(DropReason::Closed, 1);
            return;
        }
        if let Some(reason) = LANES.gate.condemns(|| span.trace_id()) {
            self.dropped.add(reason, 1);
            return;
        }
        if self.batch.capacity() == 0 {
            self.batch.reserve_exact(LARGEST);
        }
        let mut none = Vec::new();
        let older = self.older.last_mut().unwrap_or(&mut none);
        self.batch.push(span.into_record(tie, older));
        if older.is_empty() {
            self.older.pop();
        }
        if self.batch.len() == LARGEST {
            self.hand_on(reporters);
        }
    }

    fn hand_on(&mut self, reporters: &[Arc<Outbox>]) {
        let number = self.batch.len() as u64;
        if number == 0 {
            return;
        }
        let batch = Batch::from(std::mem::take(&mut self.batch));
        let (is_kept, gone) = EMBEDDED.keep(&batch);
        let older = gone.into_iter().filter_map(Batch::into_spans);
        self.older
            .extend(older.take(MOST_OLDER.saturating_sub(self.older.len())));
        if !is_kept && reporters.is_empty() {
            self.dropped.add(DropReason::NoReporter, number);
            return;
        }
        self.reported += number;
        for reporter in reporters {
            reporter.offer(&batch);
        }
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::report::embedded::EMBEDDED;
    use crate::trace::{build_span, Span};

    fn finish_child(parent: &Span) {
        build_span("child").as_child_of(parent).start().finish();
    }

    #[test]
    fn a_trace_that_loses_a_span_loses_the_others_too() {
        let root = || build_span("root").start();
        let (lost, kept) = (root(), root());
        // A thread of its own, so that no other test has spans in its ring. (The ring may be one
        // that another thread has left; so it is emptied first.)
        let fill = || {
            finish_child(&kept);
            let state = DRAIN.state.lock();
            let before = LANES.count().1;
            // Before its trace loses one.
            finish_child(&lost);
            finish_child(&kept);
            let dropped = || LANES.count().1;
            while dropped().because(DropReason::RingFull) == before.because(DropReason::RingFull) {
                // Each is a trace of its own.
                root().finish();
            }
            // Finds no room.
            finish_child(&lost);
            let full = dropped().because(DropReason::RingFull);
            // Finds its trace incomplete.
            finish_child(&lost);
            assert_eq!(dropped().because(DropReason::RingFull), full);
            let incomplete = DropReason::TraceIncomplete;
            assert!(dropped().because(incomplete) > before.because(incomplete));
            state.dropped.because(incomplete)
        };
        let before = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                DRAIN.pass();
                fill()
            });
            thread.join().unwrap()
        });
        DRAIN.pass();
        let after = DRAIN.state.lock().dropped;
        assert!(after.because(DropReason::TraceIncomplete) > before);
        let of_trace = |root: &Span| EMBEDDED.ring().trace(root.trace_id()).len();
        assert_eq!((of_trace(&lost), of_trace(&kept)), (0, 2));
    }
}
