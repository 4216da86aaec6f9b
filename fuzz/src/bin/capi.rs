//! The fuzz target `capi`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::capi::run(data));
