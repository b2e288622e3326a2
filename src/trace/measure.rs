//! What is measured of every span, sampled or not: how long it took, by what it did.

use std::cell::RefCell;
use std::ptr;
use std::sync::LazyLock;

use crate::metrics::{timer, Text, ThreadTimer, Timer};
use crate::trace::body::Body;
use crate::trace::details::{Details, MOST_METRIC_TAGS};
use crate::trace::measure_tagged::Tagged;
use crate::trace::place::Hold;
use crate::trace::state::Flags;
use crate::trace::{TagKey, Timestamp};

/// From start to finish; for delayed spans from where the work began.
static PROCESSING: LazyLock<Timer> = LazyLock::new(|| {
    timer("span.processing-time").with_description("how long operations took, by operation")
});

/// For delayed spans: until the work began.
static WAIT: LazyLock<Timer> = LazyLock::new(|| {
    timer("span.wait-time").with_description("how long delayed operations waited to begin")
});

/// For delayed spans: both together.
static ELAPSED: LazyLock<Timer> = LazyLock::new(|| {
    timer("span.elapsed-time").with_description("how long delayed operations took with their wait")
});

/// What the executor did for spans, where it was asked to say so.
static CPU: LazyLock<Timer> =
    LazyLock::new(|| timer("span.cpu-time").with_description("how long tasks ran for operations"));
static QUEUE: LazyLock<Timer> = LazyLock::new(|| {
    timer("span.queue-time").with_description("how long woken tasks waited for a worker")
});
static AWAIT: LazyLock<Timer> = LazyLock::new(|| {
    timer("span.await-time").with_description("how long tasks waited to be woken")
});

type Tag<'a> = (Text<'a>, Text<'a>);

/// What was said of a span, and when it finished.
type End<'a> = (&'a Details, Timestamp);

/// Records the times of a span that was just finished.
#[inline]
pub(super) fn span(body: &Hold, flags: Flags, details: &Details, at: Timestamp) {
    let failed = flags.any(Flags::FAILED);
    let parent = body.parent().map(|parent| parent.name());
    // In a model all threads are one thread of the system, whose memory would outlive it.
    if let (TagKey::Borrowed(operation), [], false, false) = (
        body.name(),
        details.metric_tags(),
        flags.any(Flags::DELAYED),
        cfg!(kamon_loom),
    ) {
        let nanos = at.nanos_since(body.started);
        let recorded = RECENT.try_with(|recent| match recent.try_borrow_mut() {
            Ok(mut recent) => {
                recent.record(operation, parent, failed, nanos);
                true
            }
            Err(_) => false,
        });
        if let Ok(true) = recorded {
            return;
        }
    }
    if !flags.any(Flags::DELAYED) {
        let tagged = Tagged {
            operation: body.name(),
            parent,
            error: failure(failed),
            tags: details.metric_tags(),
        };
        if tagged.record(&PROCESSING, at.nanos_since(body.started)) {
            return;
        }
    }
    with_tags(body, flags, (details, at), parent);
}

/// Records what the executor did for a span, by operation, if it was asked to say.
#[inline]
pub(super) fn work(body: &Hold) {
    if body.work().0.polls() != 0 {
        record_work(body);
    }
}

#[cold]
fn record_work(body: &Hold) {
    let tags = [(Text::Static("operation"), Text::from(body.name()))];
    let (turns, counts) = body.work();
    let work = turns.read(counts);
    for (timer, time) in [
        (&*CPU, work.cpu),
        (&*QUEUE, work.queued),
        (&*AWAIT, work.awaiting),
    ] {
        timer.record_tagged(&tags, time.as_nanos() as u64);
    }
}

/// As [`span`], for any of them.
fn with_tags(body: &Hold, flags: Flags, end: End<'_>, parent: Option<&'static str>) {
    let error = failure(flags.any(Flags::FAILED));
    let operation = (Text::Static("operation"), Text::from(body.name()));
    let error = (Text::Static("error"), Text::Static(error));
    let Some(parent) = parent else {
        return tagged(body, flags, end, &[operation, error]);
    };
    let parent = (Text::Static("parentOperation"), Text::Static(parent));
    tagged(body, flags, end, &[operation, error, parent]);
}

#[inline]
fn tagged(body: &Body, flags: Flags, end: End<'_>, own: &[Tag<'_>]) {
    if end.0.metric_tags().is_empty() {
        record(body, flags, end, own);
    } else {
        with_more_tags(body, flags, end, own);
    }
}

/// The span's own metric tags come last, so that they count where they have the name of another.
fn with_more_tags(body: &Body, flags: Flags, end: End<'_>, own: &[Tag<'_>]) {
    let mut tags = [(Text::Static(""), Text::Static("")); 3 + MOST_METRIC_TAGS];
    let more = end.0.metric_tags().iter();
    let more = more.map(|(key, value)| (Text::from(key), Text::from(value)));
    let mut count = 0;
    for tag in own.iter().copied().chain(more) {
        tags[count] = tag;
        count += 1;
    }
    record(body, flags, end, &tags[..count]);
}

/// A thread's memory of the timers that it used last, for spans that have no tags of their own and
/// names that are part of the program: those are told apart by where they lie, without a look at
/// the text.
struct Recent {
    slots: [Option<Known>; SLOTS],
}

struct Known {
    operation: &'static str,
    parent: Option<&'static str>,
    failed: bool,
    processing: ThreadTimer,
}

const SLOTS: usize = 64;

thread_local! {
    static RECENT: RefCell<Recent> = const {
        RefCell::new(Recent { slots: [const { None }; SLOTS] })
    };
}

impl Recent {
    /// Records a duration of such a span.
    #[inline]
    fn record(
        &mut self,
        operation: &'static str,
        parent: Option<&'static str>,
        failed: bool,
        nanos: u64,
    ) {
        let slot = slot(operation, parent, failed);
        if let Some(known) = &mut self.slots[slot] {
            if ptr::eq(known.operation, operation)
                && same(known.parent, parent)
                && known.failed == failed
                && !known.processing.is_removed()
            {
                return known.processing.record_nanos(nanos);
            }
        }
        self.learn(slot, operation, parent, failed)
            .record_nanos(nanos);
    }

    #[cold]
    fn learn(
        &mut self,
        slot: usize,
        operation: &'static str,
        parent: Option<&'static str>,
        failed: bool,
    ) -> &mut ThreadTimer {
        let mut processing = PROCESSING
            .with_tag("operation", operation)
            .with_tag("error", failure(failed));
        if let Some(parent) = parent {
            processing = processing.with_tag("parentOperation", parent);
        }
        let known = Known {
            operation,
            parent,
            failed,
            processing: ThreadTimer::of(&processing),
        };
        &mut self.slots[slot].insert(known).processing
    }
}

/// Names differ in where they lie, by little where they lie side by side.
#[inline]
fn slot(operation: &str, parent: Option<&str>, failed: bool) -> usize {
    let parent = parent.map_or(0, |parent| parent.as_ptr() as usize as u64);
    let operation = operation.as_ptr() as usize as u64;
    let mixed = (operation ^ parent.rotate_left(32) ^ u64::from(failed))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

#[inline]
fn same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => ptr::eq(a, b),
        (None, None) => true,
        _ => false,
    }
}

#[inline]
fn failure(failed: bool) -> &'static str {
    if failed {
        "true"
    } else {
        "false"
    }
}

#[inline]
fn record(body: &Body, flags: Flags, end: End<'_>, tags: &[Tag<'_>]) {
    if flags.any(Flags::DELAYED) {
        return record_delayed(body, end, tags);
    }
    PROCESSING.record_tagged(tags, end.1.nanos_since(body.started));
}

#[cold]
fn record_delayed(body: &Body, end: End<'_>, tags: &[Tag<'_>]) {
    let (made, finished) = (body.started, end.1);
    match end.0.began() {
        Some(began) => {
            WAIT.record_tagged(tags, began.nanos_since(made));
            PROCESSING.record_tagged(tags, finished.nanos_since(began));
            ELAPSED.record_tagged(tags, finished.nanos_since(made));
        }
        None => WAIT.record_tagged(tags, finished.nanos_since(made)),
    }
}
