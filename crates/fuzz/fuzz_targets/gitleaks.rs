//! cargo +nightly fuzz run gitleaks
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::gitleaks(bytes));
