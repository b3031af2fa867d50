//! cargo +nightly fuzz run env
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::env(bytes));
