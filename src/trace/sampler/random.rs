//! The sampler that throws dice.

use crate::trace::random;
use crate::trace::{Sampler, SamplingDecision, SamplingRequest};

/// Reports each trace with the same probability.
#[derive(Clone, Copy, Debug)]
pub struct RandomSampler {
    probability: f64,
}

impl RandomSampler {
    /// Returns a sampler that reports this share of all traces: below 0 is none, above 1 all, and
    /// what is no number none.
    pub fn new(probability: f64) -> Self {
        let probability = if probability.is_nan() {
            0.0
        } else {
            probability
        };
        RandomSampler {
            probability: probability.clamp(0.0, 1.0),
        }
    }

    /// Returns the share of traces that are reported.
    pub fn probability(&self) -> f64 {
        self.probability
    }
}

impl Sampler for RandomSampler {
    fn name(&self) -> &'static str {
        "random"
    }

    fn decide(&self, _: &SamplingRequest<'_>) -> SamplingDecision {
        throw(self.probability)
    }
}

/// Samples with the given probability, always where it is 1 and never where it is 0.
#[inline]
pub(super) fn throw(probability: f64) -> SamplingDecision {
    // 53 random bits make a fraction below one, each as likely as any other.
    let fraction = (random::narrow() >> 11) as f64 / (1_u64 << 53) as f64;
    if fraction < probability {
        SamplingDecision::Sample
    } else {
        SamplingDecision::DoNotSample
    }
}
