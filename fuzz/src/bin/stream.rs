//! The fuzz target `stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::stream::run(data));
