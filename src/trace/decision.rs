//! Whether a trace is sent to the reporters.

use crate::context::Key;

/// Whether a trace is sent to the reporters. It is decided once, where the trace begins, belongs to
/// all spans of the trace and travels with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum SamplingDecision {
    /// The trace is reported.
    Sample,
    /// The trace is not reported. Its spans are measured all the same.
    DoNotSample,
    /// Another process left it to this one to decide.
    #[default]
    Unknown,
}

impl SamplingDecision {
    /// Returns the decision in words, as it stands in a metric's tag.
    pub const fn as_str(self) -> &'static str {
        match self {
            SamplingDecision::Sample => "sample",
            SamplingDecision::DoNotSample => "do-not-sample",
            SamplingDecision::Unknown => "unknown",
        }
    }
}

/// What another process has decided of the trace that begins here, where it sent no span to go with it.
pub(crate) static BEFOREHAND: Key<SamplingDecision> =
    Key::local("kamon.trace.beforehand", || SamplingDecision::Unknown);
