//! What a span is made with, and how it is started.

use std::fmt;
use std::mem::{self, ManuallyDrop};

use crate::context::slot;
use crate::trace::body::Body;
use crate::trace::decision::BEFOREHAND;
use crate::trace::delayed::DelayedSpan;
use crate::trace::details::Details;
use crate::trace::place::{Hold, Vacancy, Watch};
use crate::trace::record::{Link, LinkKind};
use crate::trace::settings;
use crate::trace::state::Flags;
use crate::trace::tail;
use crate::trace::{
    SamplingDecision, SamplingRequest, Span, SpanContext, SpanId, SpanKind, TagKey, TagValue,
    Timestamp, TraceId,
};

/// Begins to build a span; [`start`](SpanBuilder::start) starts it.
///
/// # Examples
///
/// ```
/// use kamon::SpanKind;
///
/// let span = kamon::build_span("find-users")
///     .with_kind(SpanKind::Client)
///     .with_tag("string-tag", "hello")
///     .with_tag("number-tag", 42)
///     .with_tag("boolean-tag", true)
///     .with_metric_tag("component", "database")
///     .start();
/// span.finish();
/// ```
#[inline]
pub fn build_span(operation: impl Into<TagKey>) -> SpanBuilder {
    SpanBuilder {
        operation: operation.into(),
        details: Details::default(),
        parent: Parent::FromContext,
        from: None,
        measured: true,
        kind: SpanKind::Unknown,
        suggestion: SamplingDecision::Unknown,
    }
}

/// What a span is made with: made by [`build_span`](crate::build_span).
///
/// The parent and the start instant can be chosen here and nowhere else.
#[must_use = "a span exists only after `start`"]
pub struct SpanBuilder {
    operation: TagKey,
    details: Details,
    parent: Parent,
    from: Option<Timestamp>,
    measured: bool,
    kind: SpanKind,
    suggestion: SamplingDecision,
}

enum Parent {
    FromContext,
    None,
    Given(Span),
    /// The caller's, in another process, which has no handle here.
    Remote(SpanContext),
}

impl SpanBuilder {
    /// Says something of the span; a tag of that name is overwritten.
    pub fn with_tag(mut self, key: impl Into<TagKey>, value: impl Into<TagValue>) -> Self {
        self.details.tag(key.into(), value.into());
        self
    }

    /// Says something of the span's metrics: each value makes a time series of its own, so ids
    /// and the like do not belong here.
    pub fn with_metric_tag(mut self, key: impl Into<TagKey>, value: impl Into<TagValue>) -> Self {
        let value = value.into().into_text();
        self.details.tag_metric(key.into(), value);
        self
    }

    /// Says which side of a conversation the span is.
    #[inline]
    pub fn with_kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// Links the span to another one that it has to do with, not being its child.
    pub fn with_link(mut self, to: &Span) -> Self {
        if let Some(to) = to.context() {
            let kind = LinkKind::FollowsFrom;
            self.details.link(Link { to, kind });
        }
        self
    }

    /// Makes the span a child of the caller's, which is in another process.
    #[allow(dead_code)] // Servers have one.
    #[inline]
    pub(crate) fn with_remote_parent(mut self, caller: SpanContext) -> Self {
        self.parent = Parent::Remote(caller);
        self
    }

    /// Makes the span a child of `parent` and not of the current span. The empty span as parent
    /// changes nothing.
    pub fn as_child_of(mut self, parent: &Span) -> Self {
        if !parent.is_empty() {
            self.parent = Parent::Given(parent.clone());
        }
        self
    }

    /// Begins a new trace, unless a parent is given: the current span is not this one's parent.
    #[inline]
    pub fn ignore_parent_from_context(mut self) -> Self {
        if let Parent::FromContext = self.parent {
            self.parent = Parent::None;
        }
        self
    }

    /// Has the span start at some other time than now.
    pub fn with_from(mut self, start: impl Into<Timestamp>) -> Self {
        self.from = Some(start.into());
        self
    }

    /// Suggests whether to report the trace: followed where the trace begins here and nobody has
    /// decided, ignored otherwise.
    #[inline]
    pub fn with_sampling(mut self, decision: SamplingDecision) -> Self {
        self.suggestion = decision;
        self
    }

    /// Has the span measured when it finishes, which is so from the start.
    #[inline]
    pub fn enable_metrics(mut self) -> Self {
        self.measured = true;
        self
    }

    /// Has the span not measured when it finishes.
    #[inline]
    pub fn disable_metrics(mut self) -> Self {
        self.measured = false;
        self
    }

    /// Starts the span.
    ///
    /// Starting does not make it current: see [`with_span`](crate::with_span).
    #[inline]
    pub fn start(self) -> Span {
        Started(ManuallyDrop::new(self)).0.begin(Flags::NONE)
    }

    /// Makes the span now and has its work start later, as that of a message which waits in a
    /// mailbox: see [`DelayedSpan`].
    pub fn delay(self) -> DelayedSpan {
        DelayedSpan::new(Started(ManuallyDrop::new(self)).0.begin(Flags::DELAYED))
    }

    #[inline(never)]
    fn begin(&mut self, flags: Flags) -> Span {
        slot::with_value(Span::key(), |current| {
            if is_suppressed(current) {
                return Span::empty();
            }
            let parent = match &self.parent {
                Parent::FromContext => current.body(),
                Parent::None | Parent::Remote(_) => None,
                Parent::Given(span) => span.body(),
            };
            match parent {
                Some(parent) if !parent.flags().any(Flags::REMOTE) => {
                    let flags = flags.and(parent.flags().only(INHERITED));
                    let watch = Some(parent.watch());
                    make(flags, parent.trace_id(), parent.id, watch, self)
                }
                parent => {
                    let remote = match self.parent {
                        Parent::Remote(caller) => Some(caller),
                        _ => parent.map(|remote| {
                            let caller = SpanContext::new(remote.trace_id(), remote.id);
                            caller.with_sampling(remote.sampling_decision())
                        }),
                    };
                    let first = self.first(remote, parent);
                    let flags = flags.and(first.flags);
                    let span = make(flags, first.trace_id, first.parent_id, None, self);
                    if first.flags.any(Flags::PROVISIONAL) && span.has(Flags::PROVISIONAL) {
                        tail::entered(first.trace_id);
                    }
                    span
                }
            }
        })
    }

    /// What a span with which a trace enters this process has from those before it.
    ///
    /// `caller` is the handle of the remote one, if there is one.
    #[cold]
    fn first(&self, remote: Option<SpanContext>, caller: Option<&Hold>) -> First {
        let settings = settings::current();
        let told = match (remote, &self.parent) {
            (Some(remote), _) => Some(remote.sampling_decision()),
            // A decision that came without a span is for the first one that begins here.
            (None, Parent::FromContext) => told_beforehand(),
            (None, _) => None,
        };
        let known = told.unwrap_or(self.suggestion);
        let trace_id = match remote {
            Some(remote) => remote.trace_id(),
            None => settings.new_trace_id(),
        };
        let trusted = told.is_none() || settings.trusts_remote_decisions();
        let decision = match known {
            SamplingDecision::Unknown => None,
            known => trusted.then_some(known),
        };
        let ask = || {
            settings.decide(&SamplingRequest {
                trace_id,
                operation: &self.operation,
                kind: self.kind,
                parent: told,
            })
        };
        let decision = decision.unwrap_or_else(|| decide_once(caller, ask));
        let flags = match decision {
            SamplingDecision::Sample => Flags::RECORDED,
            _ if settings.keeps_tails() => Flags::RECORDED.and(Flags::PROVISIONAL),
            _ => Flags::NONE,
        };
        let (parent_id, origin) = match remote {
            Some(remote) => (remote.id(), Flags::PARENT_IS_REMOTE),
            None => (SpanId::NONE, Flags::NONE),
        };
        First {
            trace_id,
            parent_id,
            flags: flags.and(origin),
        }
    }
}

/// A builder whose span is made: most often there is nothing left to drop, as is seen at a glance.
struct Started(ManuallyDrop<SpanBuilder>);

impl Drop for Started {
    #[inline(always)]
    fn drop(&mut self) {
        let builder = &*self.0;
        let spent = matches!(builder.operation, TagKey::Borrowed(_))
            && !matches!(builder.parent, Parent::Given(_))
            && builder.details.owns_nothing();
        if !spent {
            // SAFETY: here it ends.
            unsafe { ManuallyDrop::drop(&mut self.0) };
        }
    }
}

/// What a span has from its parent besides the identity.
const INHERITED: Flags = Flags::RECORDED.and(Flags::PROVISIONAL);

/// See [`SpanBuilder::first`].
struct First {
    trace_id: TraceId,
    parent_id: SpanId,
    flags: Flags,
}

/// Makes the span. Its parts come one by one: packed, they would be written and read once more.
#[inline(always)]
fn make(
    mut flags: Flags,
    trace_id: TraceId,
    parent_id: SpanId,
    parent: Option<Watch>,
    builder: &mut SpanBuilder,
) -> Span {
    if builder.measured {
        flags = flags.and(Flags::MEASURED);
    }
    let settings = settings::current();
    if settings.ignores(&builder.operation) {
        flags = flags.without(settings.withheld_from_ignored());
    }
    if !flags.any(Flags::RECORDED) {
        builder.details.forget_tags();
    }
    let started = builder.from.unwrap_or_else(Timestamp::now);
    let place = Vacancy::find();
    let body = Body::new(mem::take(&mut builder.operation), builder.kind, started)
        .of(trace_id, SpanId::random(), parent_id)
        .below(parent);
    Span(Some(place.fill(flags, &mut builder.details, body)))
}

/// The decision for what is below a span of another process, where it is this one's: the first child's
/// is that of all, since a trace is not split.
fn decide_once(
    caller: Option<&Hold>,
    decide: impl FnOnce() -> SamplingDecision,
) -> SamplingDecision {
    const HERE: Flags = Flags::SAMPLED_HERE.and(Flags::NOT_SAMPLED_HERE);
    let Some(caller) = caller else {
        return decide();
    };
    if !caller.flags().any(HERE) {
        let decided = match decide() {
            SamplingDecision::Sample => Flags::SAMPLED_HERE,
            _ => Flags::NOT_SAMPLED_HERE,
        };
        // Another child may be made meanwhile; one of the two decisions stands.
        caller.state().set_unless(HERE, decided);
    }
    match caller.flags().any(Flags::SAMPLED_HERE) {
        true => SamplingDecision::Sample,
        false => SamplingDecision::DoNotSample,
    }
}

fn told_beforehand() -> Option<SamplingDecision> {
    match slot::with_value(&BEFOREHAND, |decision| *decision) {
        SamplingDecision::Unknown => None,
        decision => Some(decision),
    }
}

#[inline]
fn is_suppressed(span: &Span) -> bool {
    span.body()
        .is_some_and(|body| body.flags().any(Flags::SUPPRESSED))
}

impl fmt::Debug for SpanBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanBuilder")
            .field("operation", &self.operation)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
