//! Samplers: who decides which traces are reported.

mod adaptive;
mod constant;
mod random;
mod request;
#[allow(clippy::module_inception)]
mod sampler;

pub use adaptive::AdaptiveSampler;
pub use constant::{AlwaysSampler, NeverSampler};
pub use random::RandomSampler;
pub use request::SamplingRequest;
pub use sampler::Sampler;
