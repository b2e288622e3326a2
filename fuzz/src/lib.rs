//! What must hold of whatever comes in, one function for each decoder.
//!
//! libFuzzer calls them with inputs that it makes up, and `tests/fuzz_seeds.rs` of the main package with those
//! in `seeds`, so that they hold in the gate too. A codec's panic is contained there, and counted;
//! here it ends the process, since libFuzzer's hook sees it first.

mod binary;
mod configuration;
mod headers;

pub use binary::colfer;
pub use configuration::config;
pub use headers::{b3_multi, b3_single, baggage, trace_token, traceparent, tracestate};
