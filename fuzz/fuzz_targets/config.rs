//! libFuzzer makes up what [`kamon_fuzz::config`] is given.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kamon_fuzz::config(data));
