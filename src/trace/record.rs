//! A finished span as plain data, as reporters get it.

use std::time::{Duration, SystemTime};

use crate::trace::{SamplingDecision, SpanContext, SpanId, SpanKind, TagKey, TagValue, TraceId};

/// A finished span as plain data.
///
/// # Examples
///
/// ```
/// use kamon::trace::{SpanRecord, TagValue};
///
/// fn describe(span: &SpanRecord) -> String {
///     let table = span.tag("table").and_then(TagValue::as_str).unwrap_or("?");
///     format!("{} took {:?} in {table}", span.operation, span.duration())
/// }
/// ```
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct SpanRecord {
    /// Which trace it belongs to.
    pub trace_id: TraceId,
    /// Which span of the trace it is.
    pub id: SpanId,
    /// The span that caused it; none for the first one of a trace.
    pub parent_id: Option<SpanId>,
    /// Whether the parent is in another process.
    pub parent_is_remote: bool,
    /// What was done.
    pub operation: TagKey,
    /// Which side of a conversation it is.
    pub kind: SpanKind,
    /// When it began.
    pub started_at: SystemTime,
    /// When it ended.
    pub finished_at: SystemTime,
    /// What was said of it, each name once, in the order in which the names came. A span that
    /// failed has `error` here, and one that was not finished as it should the name of its
    /// [`outcome`](SpanRecord::outcome).
    pub tags: Vec<(TagKey, TagValue)>,
    /// The tags of its metrics besides `operation`, `error` and `parentOperation`.
    pub metric_tags: Vec<(TagKey, TagKey)>,
    /// What happened at certain times within it, in the order in which it was said.
    pub marks: Vec<Mark>,
    /// Other spans that it has to do with, not being their child.
    pub links: Vec<Link>,
    /// Whether an error was added.
    pub failed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether its trace is reported: not `Sample` only where the trace was kept after the fact.
    pub sampling: SamplingDecision,
    /// How many tags, marks, links and later names there was no room for.
    pub left_out: u32,
    /// What the executor did for it.
    pub work: Work,
}

impl SpanRecord {
    /// Returns a record in which nothing but the identity and the operation is said.
    pub fn new(trace_id: TraceId, id: SpanId, operation: impl Into<TagKey>) -> Self {
        SpanRecord {
            trace_id,
            id,
            parent_id: None,
            parent_is_remote: false,
            operation: operation.into(),
            kind: SpanKind::Unknown,
            started_at: SystemTime::UNIX_EPOCH,
            finished_at: SystemTime::UNIX_EPOCH,
            tags: Vec::new(),
            metric_tags: Vec::new(),
            marks: Vec::new(),
            links: Vec::new(),
            failed: false,
            outcome: Outcome::Finished,
            sampling: SamplingDecision::Sample,
            left_out: 0,
            work: Work::default(),
        }
    }

    /// Says in tags how it ended, where it did not as it should.
    #[cold]
    pub(super) fn tag_outcome(&mut self) {
        let failed = self.failed.then_some("error");
        let outcome = self.outcome;
        let ended = (outcome != Outcome::Finished).then_some(outcome.as_str());
        for key in failed.into_iter().chain(ended) {
            if self.tag(key).is_none() {
                self.tags.push((key.into(), TagValue::Bool(true)));
            }
        }
    }

    /// Returns the time from start to finish; zero if it finished before it started.
    pub fn duration(&self) -> Duration {
        self.finished_at
            .duration_since(self.started_at)
            .unwrap_or_default()
    }

    /// Returns the value of the tag `key`.
    pub fn tag(&self, key: &str) -> Option<&TagValue> {
        self.tags
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// Returns the value of the metric tag `key`.
    pub fn metric_tag(&self, key: &str) -> Option<&str> {
        self.metric_tags
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| &**value)
    }

    /// Tells whether it is the first span of its trace in this process.
    pub fn is_local_root(&self) -> bool {
        self.parent_id.is_none() || self.parent_is_remote
    }
}

/// Something that happened at a certain time within a span.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// When.
    pub at: SystemTime,
    /// What.
    pub key: TagKey,
}

/// Another span that a span has to do with, not being its child.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The other span.
    pub to: SpanContext,
    /// What it is to this one.
    pub kind: LinkKind,
}

/// What a linked span is to the one that has the link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum LinkKind {
    /// It came before and does not wait for this one.
    #[default]
    FollowsFrom,
}

/// How a span ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Outcome {
    /// It was finished, with an error or without.
    #[default]
    Finished,
    /// Its future was dropped before it was ready.
    Cancelled,
    /// Its last handle went and nobody had finished it.
    Unfinished,
    /// Its closure, future or task panicked.
    Panicked,
}

impl Outcome {
    /// Returns the outcome in words, as it stands in a tag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Finished => "finished",
            Outcome::Cancelled => "cancelled",
            Outcome::Unfinished => "unfinished",
            Outcome::Panicked => "panicked",
        }
    }
}

/// What the executor did for a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Work {
    /// How often a task in which it was current was polled.
    pub polls: u32,
    /// How long such polls took together.
    pub cpu: Duration,
    /// How long such tasks were woken and not yet polled.
    pub queued: Duration,
    /// How long such tasks waited to be woken.
    pub awaiting: Duration,
}
