//! Keeping traces after the fact: spans of traces that are not sampled, held until it is seen whether they failed or were slow.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::sync::statics::Mutex;
use crate::trace::counts;
use crate::trace::sink::{FinishedSpan, Sink as _};
use crate::trace::{Timestamp, TraceId};

/// How many traces are held at a time until it is known whether to keep them.
pub const HELD_TRACES: usize = 1024;
/// How many spans of one trace are held.
pub const HELD_SPANS: usize = 256;
/// How long a trace is held.
pub const HELD_FOR: Duration = Duration::from_secs(30);

/// Which traces to keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct TailRules {
    /// At least so many spans failed.
    pub(super) failures: Option<usize>,
    /// A span with which the trace entered this process took at least so long.
    pub(super) latency: Option<Duration>,
}

impl TailRules {
    const NONE: TailRules = TailRules {
        failures: None,
        latency: None,
    };

    #[inline]
    pub(super) fn any(&self) -> bool {
        self.failures.is_some() || self.latency.is_some()
    }

    fn keep(&self, failures: usize, root: &FinishedSpan) -> bool {
        self.failures.is_some_and(|least| failures >= least)
            || self.latency.is_some_and(|least| root.duration() >= least)
    }
}

/// The traces of which it is not known yet, and for a while those of which it is.
struct Held {
    rules: TailRules,
    traces: Option<HashMap<TraceId, Trace>>,
    /// The same, in the order in which they came: none is held longer than those after it.
    queue: VecDeque<(Timestamp, TraceId)>,
    /// How many of the spans with which a trace has entered this process are open: more than one, if
    /// several requests of one trace are handled at the same time.
    entered: Option<HashMap<TraceId, usize>>,
}

#[derive(Default)]
struct Trace {
    /// What is reported if the trace turns out to be worth it.
    spans: Vec<FinishedSpan>,
    failures: usize,
    verdict: Verdict,
}

/// What becomes of a trace's spans.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Verdict {
    /// Nobody has asked the rules yet.
    #[default]
    Open,
    Kept,
    /// So far. The next request of the trace may fail, or be slow.
    Unwanted,
}

static HELD: Mutex<Held> = Mutex::new(Held::new());

pub(super) fn set_rules(rules: TailRules) {
    HELD.lock().rules = rules;
}

/// Takes a span that is reported only if its trace turns out to be worth it.
#[cold]
pub(super) fn offer(span: FinishedSpan) {
    let mut held = HELD.lock();
    let first = held.queue.is_empty();
    let (kept, dropped) = held.take(span, Timestamp::now());
    drop(held);
    settle(kept, dropped);
    if first && !crate::default_sink().attend() {
        let_go();
    }
}

/// A trace enters this process with a span that is reported only if the trace turns out to be worth it.
pub(super) fn entered(trace: TraceId) {
    let mut held = HELD.lock();
    let entered = held.entered.get_or_insert_default();
    *entered.entry(trace).or_default() += 1;
}

/// Lets go of traces that are held for too long. For whoever has a clock that ticks.
pub(crate) fn expire() {
    let dropped = HELD.lock().expire(Timestamp::now());
    settle(Vec::new(), dropped);
}

/// Lets go of everything: nobody will call [`expire`] any more.
pub(crate) fn let_go() {
    let dropped = HELD.lock().let_go();
    settle(Vec::new(), dropped);
}

/// What was decided is done when the lock is free: the sink may take its time, and destructors are
/// the user's.
fn settle(kept: Vec<FinishedSpan>, dropped: Vec<FinishedSpan>) {
    counts::tail_dropped(dropped.len());
    drop(dropped);
    for span in kept {
        crate::default_sink().accept(span);
    }
}

impl Held {
    const fn new() -> Self {
        Held {
            rules: TailRules::NONE,
            traces: None,
            queue: VecDeque::new(),
            entered: None,
        }
    }

    /// What to report and what to drop, now that this span is here.
    fn take(
        &mut self,
        span: FinishedSpan,
        now: Timestamp,
    ) -> (Vec<FinishedSpan>, Vec<FinishedSpan>) {
        let mut dropped = self.expire(now);
        let mut kept = Vec::new();
        let (id, root) = (span.trace_id(), span.is_local_root());
        let others_open = self.remain_open(id, root);
        let traces = self.traces.get_or_insert_default();
        let trace = traces.entry(id).or_insert_with(|| {
            self.queue.push_back((now, id));
            Trace::default()
        });
        trace.failures += usize::from(span.is_failed());
        let worth_it = root && self.rules.keep(trace.failures, &span);
        if worth_it || trace.verdict == Verdict::Kept {
            trace.verdict = Verdict::Kept;
            kept.append(&mut trace.spans);
            kept.push(span);
        } else if !others_open && (root || trace.verdict == Verdict::Unwanted) {
            // Nobody wanted these, so nothing is lost.
            trace.verdict = Verdict::Unwanted;
            trace.spans.clear();
            // What the next request comes to is its own.
            trace.failures = 0;
        } else if trace.spans.len() < HELD_SPANS || root {
            if trace.verdict == Verdict::Unwanted {
                // It is held from now on, and not since the first request of its trace.
                trace.verdict = Verdict::Open;
                self.queue.retain(|(_, other)| *other != id);
                self.queue.push_back((now, id));
            }
            trace.spans.push(span);
        } else {
            dropped.push(span);
        }
        while self.queue.len() > HELD_TRACES {
            self.forget_oldest(&mut dropped);
        }
        (kept, dropped)
    }

    fn expire(&mut self, now: Timestamp) -> Vec<FinishedSpan> {
        let mut dropped = Vec::new();
        while let Some(&(since, id)) = self.queue.front() {
            if now.duration_since(since) < HELD_FOR {
                break;
            }
            if self.goes_on(id) {
                self.queue.pop_front();
                self.queue.push_back((now, id));
            } else {
                self.forget_oldest(&mut dropped);
            }
        }
        dropped
    }

    /// Whether the trace is kept, holds nothing, and has requests that are not finished: spans of theirs
    /// were reported.
    fn goes_on(&self, id: TraceId) -> bool {
        let trace = self.traces.as_ref().and_then(|traces| traces.get(&id));
        let open = self.entered.as_ref().is_some_and(|it| it.contains_key(&id));
        open && trace.is_some_and(|trace| trace.verdict == Verdict::Kept)
    }

    fn forget_oldest(&mut self, dropped: &mut Vec<FinishedSpan>) {
        let oldest = self.queue.pop_front();
        let traces = self.traces.as_mut();
        let trace = oldest.and_then(|(_, id)| traces?.remove(&id));
        dropped.extend(trace.into_iter().flat_map(|trace| trace.spans));
    }

    fn let_go(&mut self) -> Vec<FinishedSpan> {
        let mut dropped = Vec::new();
        while !self.queue.is_empty() {
            self.forget_oldest(&mut dropped);
        }
        dropped
    }

    /// Whether a span with which the trace has entered this process is open, now that one may have
    /// finished.
    fn remain_open(&mut self, trace: TraceId, finished: bool) -> bool {
        let Some(entered) = &mut self.entered else {
            return false;
        };
        let Some(open) = entered.get_mut(&trace) else {
            return false;
        };
        *open -= usize::from(finished);
        if *open == 0 {
            entered.remove(&trace);
            return false;
        }
        true
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::trace::body::Body;
    use crate::trace::details::Details;
    use crate::trace::place::Vacancy;
    use crate::trace::state::Flags;
    use crate::trace::{SpanId, SpanKind};

    /// A finished span of this trace.
    fn span(trace: u128, flags: Flags, now: Timestamp) -> FinishedSpan {
        let flags = flags.and(Flags::RECORDED).and(Flags::PROVISIONAL);
        let body = Body::new("span".into(), SpanKind::Unknown, now);
        let body = body.of(TraceId::new(trace), SpanId::new(2), SpanId::new(1));
        let span = Vacancy::find().fill(flags, &mut Details::default(), body);
        assert!(span.state().finish(Flags::NONE).is_some());
        // SAFETY: `State::finish` has counted it, since the span is recorded.
        FinishedSpan::new(unsafe { span.counted() })
    }

    /// One with a parent in this process.
    fn child(trace: u128, now: Timestamp) -> FinishedSpan {
        span(trace, Flags::NONE, now)
    }

    /// One with which the trace has entered it.
    fn request(trace: u128, now: Timestamp) -> FinishedSpan {
        span(trace, Flags::PARENT_IS_REMOTE, now)
    }

    fn failed(trace: u128, root: Flags, now: Timestamp) -> FinishedSpan {
        span(trace, root.and(Flags::FAILED), now)
    }

    /// What keeps a trace with one failure, and this trace, which so many requests have entered.
    fn keeping(trace: u128, requests: usize) -> Held {
        let mut held = Held::new();
        held.rules.failures = Some(1);
        let entered = HashMap::from([(TraceId::new(trace), requests)]);
        held.entered = Some(entered);
        held
    }

    #[test]
    fn what_is_late_of_a_request_says_nothing_of_the_next() {
        let now = Timestamp::now();
        let mut held = keeping(1, 1);
        let mut take = |span| held.take(span, now).0.len();
        assert_eq!(take(request(1, now)), 0);
        assert_eq!(take(failed(1, Flags::NONE, now)), 0);
        assert_eq!(take(request(1, now)), 0);
    }

    #[test]
    fn each_request_is_held_for_as_long() {
        let start = Timestamp::now();
        let later = |seconds| start.after(Duration::from_secs(seconds));
        // Nobody wanted the first one, and then there is another.
        let mut held = keeping(1, 1);
        held.take(request(1, start), start);
        held.entered = Some(HashMap::from([(TraceId::new(1), 1)]));
        held.take(child(1, later(29)), later(29));
        let (kept, dropped) = held.take(failed(1, Flags::PARENT_IS_REMOTE, later(32)), later(32));
        assert_eq!((kept.len(), dropped.len()), (2, 0));
        // The first one was kept: what the second has done was reported, and so is the second.
        let mut held = keeping(1, 2);
        let first = held
            .take(failed(1, Flags::PARENT_IS_REMOTE, start), start)
            .0;
        let step = held.take(child(1, later(29)), later(29)).0;
        let second = held.take(request(1, later(32)), later(32)).0;
        assert_eq!([first.len(), step.len(), second.len()], [1, 1, 1]);
        // When there is none left, it is forgotten.
        held.expire(later(100));
        assert!(held.queue.is_empty() && held.traces.is_none_or(|traces| traces.is_empty()));
    }

    #[test]
    fn nothing_is_held_for_longer_than_it_may() {
        let mut held = Held::new();
        let start = Timestamp::now();
        let second = Duration::from_secs(1);
        for (trace, after) in [(1, 0), (2, 10), (1, 20)] {
            let now = start.after(after * second);
            let (kept, dropped) = held.take(child(trace, now), now);
            assert_eq!((kept.len(), dropped.len()), (0, 0));
        }
        // The first trace came at 0, the second at 10.
        let mut expire = |after: Duration| held.expire(start.after(after)).len();
        assert_eq!(expire(HELD_FOR - second), 0);
        assert_eq!(expire(HELD_FOR + second), 2);
        assert_eq!(expire(HELD_FOR + 9 * second), 0);
        assert_eq!(expire(HELD_FOR + 11 * second), 1);
        assert!(held.queue.is_empty());
    }
}
