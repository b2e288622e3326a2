//! Samplers: who decides which traces are reported.

mod adaptive;
mod constant;
mod random;
mod ratio;
mod request;
#[allow(clippy::module_inception)]
mod sampler;

pub use adaptive::AdaptiveSampler;
pub use constant::{AlwaysSampler, NeverSampler};
pub use random::RandomSampler;
pub use ratio::RatioSampler;
pub use request::SamplingRequest;
pub use sampler::Sampler;
