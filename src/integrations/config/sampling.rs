//! Which sampler a configuration asks for.

use crate::trace::{
    AdaptiveSampler, AlwaysSampler, NeverSampler, RandomSampler, RatioSampler, Settings,
};

/// Which sampler a configuration asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Sampling {
    Always,
    Never,
    Random,
    Adaptive,
    /// OpenTelemetry's, which has no name in Kamon.
    Ratio(f64),
}

/// The random sampler's probability in Kamon.
const PROBABILITY: f64 = 0.01;
/// The adaptive sampler's traces per minute in Kamon.
const THROUGHPUT: f64 = 600.0;

impl Sampling {
    /// What the samplers are called in Kamon's configuration.
    pub(super) const NAMES: &'static [(&'static str, Sampling)] = &[
        ("always", Sampling::Always),
        ("never", Sampling::Never),
        ("random", Sampling::Random),
        ("adaptive", Sampling::Adaptive),
    ];

    pub(super) fn set(
        self,
        settings: Settings,
        probability: Option<f64>,
        throughput: Option<f64>,
    ) -> Settings {
        match self {
            Sampling::Always => settings.sampler(AlwaysSampler),
            Sampling::Never => settings.sampler(NeverSampler),
            Sampling::Random => {
                settings.sampler(RandomSampler::new(probability.unwrap_or(PROBABILITY)))
            }
            Sampling::Ratio(ratio) => settings.sampler(RatioSampler::new(ratio)),
            Sampling::Adaptive => {
                settings.sampler(AdaptiveSampler::new(throughput.unwrap_or(THROUGHPUT)))
            }
        }
    }
}
