//! The YAML writer: trees printed as SOPS prints them, and edits in place.

#![allow(clippy::disallowed_methods, reason = "tests that may read a folder of files and run the reference")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "says how much was compared")]

mod edits;
mod emit;
mod sources;
mod trees;
