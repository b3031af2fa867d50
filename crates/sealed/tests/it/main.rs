//! Sealed resources through the public face of the crate.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads fixtures, and fails when it cannot go on"
)]

mod crd;
mod custody;
mod made;
mod opening;
mod plans;
mod replays;
mod sops_secrets;
mod vectors;
mod writing;
