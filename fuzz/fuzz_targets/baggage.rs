//! libFuzzer makes up what [`kamon_fuzz::baggage`] is given.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kamon_fuzz::baggage(data));
