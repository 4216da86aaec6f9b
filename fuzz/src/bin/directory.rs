//! The fuzz target `directory`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::directory::run(data));
