//! What is measured of every span, sampled or not: how long it took, by what it did.

use std::sync::LazyLock;

use crate::metrics::{timer, Text, Timer};
use crate::trace::body::Body;
use crate::trace::details::{Details, MOST_METRIC_TAGS};
use crate::trace::known_timers::Tagged;
use crate::trace::place::Hold;
use crate::trace::state::Flags;
use crate::trace::Timestamp;

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

/// Records the times of a span that was just finished, and what the executor did for it.
#[inline]
pub(super) fn span(body: &Hold, flags: Flags, details: &Details, at: Timestamp) {
    let parent = body.parent().map(|parent| parent.name());
    let worked = body.work().0.polls() != 0;
    if !flags.any(Flags::DELAYED) {
        let tagged = Tagged {
            operation: body.name(),
            parent,
            failed: flags.any(Flags::FAILED),
            tags: details.metric_tags(),
        };
        let work = worked.then(|| times_of_work(body));
        if tagged.record(&PROCESSING, at.nanos_since(body.started), work) {
            return;
        }
    }
    with_tags(body, flags, (details, at), parent);
    if worked {
        record_work(body);
    }
}

/// The timers of what the executor did for spans of this name, in the order of their times.
pub(super) fn timers_of_work(operation: &'static str) -> [Timer; 3] {
    [&CPU, &QUEUE, &AWAIT].map(|timer| timer.with_tag("operation", operation))
}

#[cold]
fn times_of_work(body: &Hold) -> [u64; 3] {
    let (turns, counts) = body.work();
    let work = turns.read(counts);
    [work.cpu, work.queued, work.awaiting].map(|time| time.as_nanos() as u64)
}

#[cold]
fn record_work(body: &Hold) {
    let tags = [(Text::Static("operation"), Text::from(body.name()))];
    let timers = [&*CPU, &*QUEUE, &*AWAIT];
    for (timer, nanos) in timers.into_iter().zip(times_of_work(body)) {
        timer.record_tagged(&tags, nanos);
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

#[inline]
pub(super) fn failure(failed: bool) -> &'static str {
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
