//! A unit of traced work: the handle that everybody has.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use crate::context::Key;
use crate::trace::counts;
use crate::trace::finish;
use crate::trace::place::Hold;
use crate::trace::record::{Link, LinkKind};
use crate::trace::state::Flags;
use crate::trace::{
    SamplingDecision, SpanContext, SpanId, SpanKind, TagKey, TagValue, Timestamp, TraceId,
};

/// A unit of traced work: a handle, one word wide, that may be cloned and sent.
///
/// Made by [`build_span`](crate::build_span). Being current and being alive are unrelated: a span
/// may be current on many threads or nowhere, and it is over when it is [finished](Span::finish),
/// whoever still has a handle. What is said of it afterwards is ignored and
/// [counted](crate::trace::stats); of several finishes the first one counts. If the last handle goes and
/// nobody has finished it, it is reported as `unfinished`.
///
/// The [empty](Span::empty) span and [remote](Span::remote) ones take what is said of them and do
/// nothing with it, so nobody has to ask.
///
/// # Examples
///
/// ```
/// let span = kamon::build_span("find-users").with_tag("table", "users").start();
/// kamon::with_span(&span, || {
///     kamon::current_span().tag("rows", 12).mark("first-row");
/// });
/// span.finish();
/// ```
#[derive(Clone)]
pub struct Span(pub(super) Option<Hold>);

// What a panic leaves half done in a span is a tag too few.
impl UnwindSafe for Span {}
impl RefUnwindSafe for Span {}

static KEY: Key<Span> = Key::broadcast("span", Span::empty);

impl Span {
    /// Returns the span that is none: what is current where no span is.
    #[inline]
    pub const fn empty() -> Span {
        Span(None)
    }

    /// Returns a span of another process, to be a parent here. Empty if the ids are not valid.
    pub fn remote(context: SpanContext) -> Span {
        if !context.is_valid() {
            return Span::empty();
        }
        let decision = match context.sampling_decision() {
            SamplingDecision::Sample => Flags::RECORDED,
            SamplingDecision::DoNotSample => Flags::NONE,
            SamplingDecision::Unknown => Flags::UNDECIDED,
        };
        Span::standing(Flags::REMOTE.and(decision), &context)
    }

    /// Returns the key under which the current span lies in a [`Context`](crate::Context).
    ///
    /// # Examples
    ///
    /// ```
    /// use kamon::Span;
    ///
    /// let span = kamon::build_span("find-users").start();
    /// kamon::with_span(&span, || {
    ///     assert_eq!(kamon::current_context().get(Span::key()), &span);
    ///     assert_eq!(kamon::current_span(), span);
    /// });
    /// # span.finish();
    /// ```
    #[inline]
    pub fn key() -> &'static Key<Span> {
        &KEY
    }

    /// Says something of the span; a tag of that name is overwritten.
    pub fn tag(&self, key: impl Into<TagKey>, value: impl Into<TagValue>) -> &Span {
        if let Some(body) = self.recorded() {
            let (key, value) = (key.into(), value.into());
            let old = self.write(body, |details| details.tag(key, value));
            drop(old);
        }
        self
    }

    /// Says something of the span's metrics: each value makes a time series of its own, so ids
    /// and the like do not belong here.
    pub fn tag_metric(&self, key: impl Into<TagKey>, value: impl Into<TagValue>) -> &Span {
        if let Some(body) = self.local() {
            let (key, value) = (key.into(), value.into().into_text());
            let old = self.write(body, |details| details.tag_metric(key, value));
            drop(old);
        }
        self
    }

    /// Marks the present as the time at which something happened.
    pub fn mark(&self, key: impl Into<TagKey>) -> &Span {
        if self.recorded().is_some() {
            self.mark_at(Timestamp::now(), key);
        }
        self
    }

    /// Marks a time at which something happened.
    pub fn mark_at(&self, at: impl Into<Timestamp>, key: impl Into<TagKey>) -> &Span {
        if let Some(body) = self.recorded() {
            let (at, key) = (at.into(), key.into());
            self.write(body, |details| details.mark(at, key));
        }
        self
    }

    /// Says that the span failed, and why: the tags `error.message` and `error.type`.
    ///
    /// The error is printed only if the span is reported; its metrics say `error` either way.
    ///
    /// # Examples
    ///
    /// ```
    /// let span = kamon::build_span("parse").start();
    /// if let Err(error) = "one".parse::<u32>() {
    ///     span.add_error(&error);
    /// }
    /// assert!(span.is_failed());
    /// span.finish();
    /// ```
    pub fn add_error<E: fmt::Display + ?Sized>(&self, error: &E) -> &Span {
        if let Some(body) = self.recorded_and_failed() {
            let message = error.to_string().into();
            let kind = std::any::type_name::<E>().into();
            let old = self.write(body, |details| {
                let message = details.tag("error.message".into(), message);
                (message, details.tag("error.type".into(), kind))
            });
            drop(old);
        }
        self
    }

    /// Says that the span failed, and why in words: the tag `error.message`.
    pub fn fail(&self, message: impl Into<TagKey>) -> &Span {
        if self.recorded_and_failed().is_some() {
            self.tag("error.message", message.into());
        }
        self
    }

    /// Gives the span another name; 64 times at most. What comes then is
    /// [left out](crate::trace::SpanRecord::left_out).
    pub fn set_operation_name(&self, name: impl Into<TagKey>) -> &Span {
        if let Some(body) = self.local() {
            if !body.rename(name.into()) {
                counts::written_too_late();
            }
        }
        self
    }

    /// Links the span to another one that it has to do with, not being its child.
    pub fn link(&self, to: &Span) -> &Span {
        match to.context() {
            Some(to) => self.link_to(to),
            None => self,
        }
    }

    /// Links the span to another one, known by its identity.
    pub fn link_to(&self, to: SpanContext) -> &Span {
        if let Some(body) = self.recorded() {
            let kind = LinkKind::FollowsFrom;
            self.write(body, |details| details.link(Link { to, kind }));
        }
        self
    }

    /// Has the span measured when it finishes, which is so from the start.
    pub fn enable_metrics(&self) -> &Span {
        self.change(|body| body.state().set(Flags::MEASURED))
    }

    /// Has the span not measured when it finishes.
    pub fn disable_metrics(&self) -> &Span {
        self.change(|body| body.state().clear(Flags::MEASURED))
    }

    /// Finishes the span now.
    #[inline]
    pub fn finish(&self) {
        if let Some(body) = self.local() {
            finish::finish(body, Timestamp::now(), Flags::NONE);
        }
    }

    /// Finishes the span as of some other time.
    pub fn finish_at(&self, at: impl Into<Timestamp>) {
        if let Some(body) = self.local() {
            finish::finish(body, at.into(), Flags::NONE);
        }
    }

    /// Finishes the span as of the time `duration` after its start.
    pub fn finish_after(&self, duration: Duration) {
        if let Some(body) = self.local() {
            finish::finish(body, body.started.after(duration), Flags::NONE);
        }
    }

    /// Returns the trace's id, [`TraceId::NONE`] for the empty span.
    #[inline]
    pub fn trace_id(&self) -> TraceId {
        self.seen().map_or(TraceId::NONE, |body| body.trace_id())
    }

    /// Returns the span's id, [`SpanId::NONE`] for the empty span.
    #[inline]
    pub fn id(&self) -> SpanId {
        self.seen().map_or(SpanId::NONE, |body| body.id)
    }

    /// Returns the id of the span's parent.
    #[inline]
    pub fn parent_id(&self) -> Option<SpanId> {
        self.seen().and_then(|body| body.parent_id())
    }

    /// Returns what is sent of the span to other processes: nothing for the empty one.
    pub fn context(&self) -> Option<SpanContext> {
        let body = self.seen()?;
        let context = SpanContext::new(body.trace_id(), body.id)
            .with_parent(body.parent_id)
            .with_sampling(body.sampling_decision());
        Some(context)
    }

    /// Returns the name of what is done, as it is now; nothing for empty and remote spans.
    pub fn operation_name(&self) -> &str {
        self.seen().map_or("", |body| body.name())
    }

    /// Returns which side of a conversation the span is.
    pub fn kind(&self) -> SpanKind {
        self.seen().map_or(SpanKind::Unknown, |body| body.kind)
    }

    /// Returns whether the trace is reported.
    pub fn sampling_decision(&self) -> SamplingDecision {
        self.seen()
            .map_or(SamplingDecision::DoNotSample, Hold::sampling_decision)
    }

    /// Tells whether the trace is reported.
    pub fn is_sampled(&self) -> bool {
        self.sampling_decision() == SamplingDecision::Sample
    }

    /// Tells whether this is the span that is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.seen().is_none()
    }

    /// Tells whether the span is one of another process.
    pub fn is_remote(&self) -> bool {
        self.has(Flags::REMOTE)
    }

    /// Tells whether the span was finished.
    pub fn is_finished(&self) -> bool {
        self.has(Flags::FINISHED)
    }

    /// Tells whether the span failed so far.
    pub fn is_failed(&self) -> bool {
        self.has(Flags::FAILED)
    }
}

impl Default for Span {
    /// Returns the empty span.
    fn default() -> Self {
        Span::empty()
    }
}

impl PartialEq for Span {
    /// Tells whether both name the same span.
    fn eq(&self, other: &Self) -> bool {
        (self.trace_id(), self.id()) == (other.trace_id(), other.id())
    }
}

impl Eq for Span {}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("Span(empty)");
        }
        f.debug_struct("Span")
            .field("operation", &self.operation_name())
            .field("trace_id", &self.trace_id())
            .field("id", &self.id())
            .field("parent_id", &self.parent_id())
            .field("sampling", &self.sampling_decision())
            .field("finished", &self.is_finished())
            .finish()
    }
}
