//! The fuzz target `endpoints`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::endpoints::run(data));
