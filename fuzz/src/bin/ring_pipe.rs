//! The fuzz target `ring_pipe`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| strait_fuzz::ring_pipe::run(data));
