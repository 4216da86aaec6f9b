//! The fuzz target `honest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::honest::run(data));
