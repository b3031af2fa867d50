//! cargo +nightly fuzz run pattern
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::pattern(bytes));
