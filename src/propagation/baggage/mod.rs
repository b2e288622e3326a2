//! W3C Baggage: texts by name that travel with a request, all in one header.

#[allow(clippy::module_inception)]
mod baggage;
mod codec;
mod member;
mod percent;

pub use baggage::Baggage;
pub(super) use codec::BaggageCodec;
