//! The engine through its public face.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure there is a failure of the test")]

mod keys_at_hand;
mod nonces;
mod replacing;
mod round_trip;
mod sealing_clear;
mod second_reader;
mod tampering;
