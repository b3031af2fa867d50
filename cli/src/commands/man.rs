//! `plomb man`: manual pages into a folder, for packagers.

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};

/// Write manual pages into a folder
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {
    /// The folder; it is made if it is not there
    folder: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &Args, _context: &mut Context) -> Outcome {
    let made = std::fs::create_dir_all(&args.folder);
    made.map_err(|error| Failure::io(&args.folder, "make this folder", &error).exit(Exit::Output))?;
    let written = clap_mangen::generate_to(crate::args::Cli::command(), &args.folder);
    written.map_err(|error| Failure::io(&args.folder, "write into it", &error).exit(Exit::Output))?;
    Ok(Exit::Ok)
}
