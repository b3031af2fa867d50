//! cargo +nightly fuzz run decode
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::decode(bytes));
