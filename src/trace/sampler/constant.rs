//! Samplers that decide the same each time.

use crate::trace::{Sampler, SamplingDecision, SamplingRequest};

/// Reports every trace. The default: the embedded reporter holds a bounded number of spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlwaysSampler;

/// Reports no trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverSampler;

impl Sampler for AlwaysSampler {
    fn name(&self) -> &'static str {
        "always"
    }

    fn decide(&self, _: &SamplingRequest<'_>) -> SamplingDecision {
        SamplingDecision::Sample
    }
}

impl Sampler for NeverSampler {
    fn name(&self) -> &'static str {
        "never"
    }

    fn decide(&self, _: &SamplingRequest<'_>) -> SamplingDecision {
        SamplingDecision::DoNotSample
    }
}
