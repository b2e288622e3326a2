//! The sampler that goes by the trace's id.

use crate::trace::{Sampler, SamplingDecision, SamplingRequest};

/// Reports a share of all traces, chosen by their ids: processes that ask for the same share decide the
/// same of a trace, without telling one another.
///
/// Goes by the last eight bytes of the id, as OpenTelemetry's `TraceIdRatioBased` does in most
/// languages. Traces with a smaller share are among those with a larger one.
///
/// # Examples
///
/// ```
/// use kamon::trace::{RatioSampler, Settings};
///
/// Settings::new().sampler(RatioSampler::new(0.25)).apply();
/// # Settings::new().apply();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RatioSampler {
    ratio: f64,
}

impl RatioSampler {
    /// Returns a sampler that reports this share of all traces: below 0 is none, above 1 all, and
    /// what is no number none.
    pub fn new(ratio: f64) -> Self {
        let ratio = if ratio.is_nan() { 0.0 } else { ratio };
        RatioSampler {
            ratio: ratio.clamp(0.0, 1.0),
        }
    }

    /// Returns the share of traces that are reported.
    pub fn ratio(&self) -> f64 {
        self.ratio
    }
}

impl Sampler for RatioSampler {
    fn name(&self) -> &'static str {
        "ratio"
    }

    fn decide(&self, request: &SamplingRequest<'_>) -> SamplingDecision {
        let last = request.trace_id.get() as u64;
        // As many bits as a float holds make a fraction below one.
        let fraction = (last >> 11) as f64 / (1_u64 << 53) as f64;
        match fraction < self.ratio {
            true => SamplingDecision::Sample,
            false => SamplingDecision::DoNotSample,
        }
    }
}
