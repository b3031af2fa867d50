//! cargo +nightly fuzz run yaml
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::yaml(bytes));
