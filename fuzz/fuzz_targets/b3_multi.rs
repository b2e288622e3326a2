//! libFuzzer makes up what [`kamon_fuzz::b3_multi`] is given.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kamon_fuzz::b3_multi(data));
