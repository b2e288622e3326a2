//! How spans are made: the sampler, the ids, what is ignored and what is kept after the fact.

use std::fmt;
use std::time::Duration;

use crate::context::contain::{contain, discard};
use crate::metrics::Glob;
use crate::sync::statics::{AtomicBool, AtomicPtr, Mutex, Ordering};
use crate::trace::counts::Decisions;
use crate::trace::state::Flags;
use crate::trace::tail::{self, TailRules};
use crate::trace::{AlwaysSampler, Sampler, SamplingDecision, SamplingRequest, TagKey, TraceId};

/// How spans are made in this process. Without any, every trace is reported and nothing ignored.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use kamon::trace::{RandomSampler, Settings};
///
/// Settings::new()
///     .sampler(RandomSampler::new(0.1))
///     .ignore_operations(["GET /health", "*.ping"])
///     .keep_failed_traces(1)
///     .keep_slow_traces(Duration::from_secs(2))
///     .apply();
/// # Settings::new().apply();
/// ```
#[must_use = "settings count once they are applied"]
pub struct Settings {
    sampler: Box<dyn Sampler>,
    decisions: Decisions,
    ids: IdScheme,
    trusts_remote_decisions: bool,
    ignored: Vec<Glob>,
    measures_ignored: bool,
    tail: TailRules,
}

/// How long trace ids are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum IdScheme {
    /// 8 bytes, as of span ids, for systems that know no others.
    Single,
    /// 16 bytes.
    #[default]
    Double,
}

/// What is in force. Settings that were replaced stay, because a span may be starting by them on
/// another thread; a process has a handful.
static CURRENT: AtomicPtr<Settings> = AtomicPtr::new(std::ptr::null_mut());

/// All that were applied, so that whoever looks for leaks finds them.
static KEPT: Mutex<Vec<&'static Settings>> = Mutex::new(Vec::new());

static DEFAULT: std::sync::LazyLock<Settings> = std::sync::LazyLock::new(Settings::new);

/// Whether nothing is to be reported, whatever the settings say.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Has no trace sampled that begins here from now on, and those of others as they say; or ends that.
pub(crate) fn set_silent(silent: bool) {
    // Ordering: a span that starts meanwhile may go by either.
    SILENT.store(silent, Ordering::Relaxed);
}

fn is_silent() -> bool {
    // Ordering: see above.
    SILENT.load(Ordering::Relaxed)
}

/// The settings in force.
#[inline]
pub(super) fn current() -> &'static Settings {
    // Ordering: Acquire pairs with the Release in `apply`: the settings are whole.
    let current = CURRENT.load(Ordering::Acquire);
    // SAFETY: what is stored there is never freed.
    match unsafe { current.as_ref() } {
        Some(settings) => settings,
        None => &DEFAULT,
    }
}

impl Settings {
    /// Returns the defaults.
    pub fn new() -> Self {
        Settings {
            decisions: Decisions::of(AlwaysSampler.name()),
            sampler: Box::new(AlwaysSampler),
            ids: IdScheme::Double,
            trusts_remote_decisions: true,
            ignored: Vec::new(),
            measures_ignored: false,
            tail: TailRules::default(),
        }
    }

    /// Lets this sampler decide which traces are reported.
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.decisions = Decisions::of(sampler.name());
        self.sampler = Box::new(sampler);
        self
    }

    /// Makes trace ids of this length.
    pub fn ids(mut self, ids: IdScheme) -> Self {
        self.ids = ids;
        self
    }

    /// Asks the sampler also about traces of which another process says whether to report them:
    /// for services that anybody may call.
    pub fn distrust_remote_decisions(mut self) -> Self {
        self.trusts_remote_decisions = false;
        self
    }

    /// Ignores operations of such names, in which `*` stands for any text and `?` for any one
    /// character: their spans are neither reported nor measured, and those below them are not
    /// reported.
    pub fn ignore_operations<I>(mut self, patterns: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<TagKey>,
    {
        self.ignored.extend(patterns.into_iter().map(Glob::new));
        self
    }

    /// Measures the operations that are ignored all the same.
    pub fn measure_ignored_operations(mut self) -> Self {
        self.measures_ignored = true;
        self
    }

    /// Reports a trace that was not sampled if so many of its spans in this process have failed.
    ///
    /// Spans of traces that are not sampled are then held until the span with which the trace entered
    /// this process is finished, or the last of them, if the trace entered it more than once at a time.
    /// Each of them may have the trace reported; what has come to nothing until then is gone. Held are
    /// at most [`HELD_TRACES`](crate::trace::HELD_TRACES) traces with
    /// [`HELD_SPANS`](crate::trace::HELD_SPANS) spans each, for at most
    /// [`HELD_FOR`](crate::trace::HELD_FOR). What is beyond is dropped and [counted](crate::trace::stats).
    pub fn keep_failed_traces(mut self, failures: usize) -> Self {
        self.tail.failures = Some(failures.max(1));
        self
    }

    /// Reports a trace that was not sampled if a span with which it entered this process took so long;
    /// held as for [`keep_failed_traces`](Settings::keep_failed_traces).
    pub fn keep_slow_traces(mut self, longer_than: Duration) -> Self {
        self.tail.latency = Some(longer_than);
        self
    }

    /// Puts the settings in force for all spans that are started from now on.
    pub fn apply(self) {
        tail::set_rules(self.tail);
        let settings: &'static Settings = Box::leak(Box::new(self));
        KEPT.lock().push(settings);
        // Ordering: Release pairs with the Acquire in `current`.
        CURRENT.store(std::ptr::from_ref(settings).cast_mut(), Ordering::Release);
    }

    pub(super) fn decide(&self, request: &SamplingRequest<'_>) -> SamplingDecision {
        if is_silent() {
            return SamplingDecision::DoNotSample;
        }
        // What a sampler leaves half done is its own.
        let asked = contain(|| self.sampler.decide(request));
        let decision = match asked {
            Ok(SamplingDecision::Sample) => SamplingDecision::Sample,
            Ok(_) => SamplingDecision::DoNotSample,
            Err(payload) => {
                discard(payload);
                SamplingDecision::DoNotSample
            }
        };
        self.decisions.count(decision);
        decision
    }

    #[inline]
    pub(super) fn new_trace_id(&self) -> TraceId {
        match self.ids {
            IdScheme::Single => TraceId::random_short(),
            IdScheme::Double => TraceId::random(),
        }
    }

    #[inline]
    pub(super) fn trusts_remote_decisions(&self) -> bool {
        self.trusts_remote_decisions || is_silent()
    }

    #[inline]
    pub(super) fn keeps_tails(&self) -> bool {
        self.tail.any()
    }

    #[inline]
    pub(super) fn ignores(&self, operation: &str) -> bool {
        !self.ignored.is_empty() && self.ignored.iter().any(|it| it.matches(operation))
    }

    /// What a span of an ignored operation does without.
    pub(super) fn withheld_from_ignored(&self) -> Flags {
        let reported = Flags::RECORDED.and(Flags::PROVISIONAL);
        match self.measures_ignored {
            true => reported,
            false => reported.and(Flags::MEASURED),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("sampler", &self.sampler.name())
            .field("ids", &self.ids)
            .field("trusts_remote_decisions", &self.trusts_remote_decisions)
            .field("ignored", &self.ignored)
            .field("measures_ignored", &self.measures_ignored)
            .field("tail", &self.tail)
            .finish()
    }
}

#[cfg(all(test, not(kamon_loom)))]
mod tests {
    use super::*;
    use crate::trace::SpanKind;

    /// A payload whose destructor panics.
    struct Grenade;

    impl Drop for Grenade {
        fn drop(&mut self) {
            // Of what is forgotten there must be no memory.
            std::panic::panic_any(());
        }
    }

    struct Panics;

    impl Sampler for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }

        fn decide(&self, _: &SamplingRequest<'_>) -> SamplingDecision {
            std::panic::panic_any(Grenade)
        }
    }

    #[test]
    fn a_sampler_that_panics_does_not_sample() {
        let settings = Settings::new().sampler(Panics);
        let request = SamplingRequest {
            trace_id: TraceId::new(1),
            operation: "work",
            kind: SpanKind::Unknown,
            parent: None,
        };
        let decision = settings.decide(&request);
        assert_eq!(decision, SamplingDecision::DoNotSample);
    }
}
