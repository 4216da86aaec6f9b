//! The fuzz target `attach`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::attach::run(data));
