//! W3C Trace Context: `traceparent` and `tracestate`.

mod codec;
mod trace_parent;
mod trace_state;

pub(super) use codec::W3c;
