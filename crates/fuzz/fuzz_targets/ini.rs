//! cargo +nightly fuzz run ini
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::ini(bytes));
