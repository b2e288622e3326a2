//! libFuzzer makes up what [`kamon_fuzz::colfer`] is given.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kamon_fuzz::colfer(data));
