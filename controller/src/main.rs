//! `plomb-controller`: sealed resources become native Secrets.
//!
//! Whatever needs no cluster is in the `sealed` crate; this program reads the world and calls it.

mod args;
mod cluster;
mod identities;
mod outcome;
mod render;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::dispatch(std::env::args_os().collect())
}
