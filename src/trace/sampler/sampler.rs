//! Who decides which traces are reported.

use crate::trace::{SamplingDecision, SamplingRequest};

/// Decides which traces are reported.
///
/// Is asked once a trace, where it enters this process, and only if nobody has decided before: the
/// decision of another process is respected unless the
/// [settings](crate::trace::Settings::distrust_remote_decisions) say otherwise. Spans of traces
/// that are not reported are measured all the same.
///
/// # Examples
///
/// ```
/// use kamon::trace::{Sampler, SamplingDecision, SamplingRequest};
///
/// #[derive(Debug)]
/// struct OnlyWrites;
///
/// impl Sampler for OnlyWrites {
///     fn name(&self) -> &'static str {
///         "only-writes"
///     }
///
///     fn decide(&self, request: &SamplingRequest<'_>) -> SamplingDecision {
///         match request.operation.starts_with("GET ") {
///             true => SamplingDecision::DoNotSample,
///             false => SamplingDecision::Sample,
///         }
///     }
/// }
/// ```
pub trait Sampler: Send + Sync {
    /// Returns the name under which its decisions are counted.
    fn name(&self) -> &'static str;

    /// Decides about the trace that begins with this span. `Unknown` is taken for `DoNotSample`, and
    /// so is a panic, which ends here.
    fn decide(&self, request: &SamplingRequest<'_>) -> SamplingDecision;
}
