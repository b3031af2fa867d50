//! Sealed resources through the public face of the crate.

mod crd;
mod made;
mod opening;
mod plans;
mod replays;
mod sops_secrets;
mod vectors;
mod writing;
