//! libFuzzer makes up what [`kamon_fuzz::trace_token`] is given.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kamon_fuzz::trace_token(data));
