//! `plomb cluster`: what clusters publish about their keys. Reads files and pipes; `kubectl` talks to the cluster.

mod pin;
mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use sealed::custody::{Chain, ReadError, chain_in};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::files;

/// Check and pin the recipients that clusters publish
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The recipients that clusters publish
    #[command(subcommand)]
    Recipients(Recipients),
}

#[derive(Debug, Subcommand)]
enum Recipients {
    Pin(pin::Args),
    Show(show::Args),
}

/// Runs the command.
pub(crate) fn run(args: Args, _context: &mut Context) -> Outcome {
    match args.command {
        Command::Recipients(Recipients::Pin(args)) => pin::run(&args),
        Command::Recipients(Recipients::Show(args)) => show::run(&args),
    }
}

/// Reads and checks a chain from a file or standard input.
///
/// # Errors
/// When there is none, or it does not verify.
fn chain(path: &Path) -> Result<Chain, Failure> {
    let (text, name) = match path.as_os_str() == "-" {
        true => (files::read_stdin(files::STRUCTURED_LIMIT)?, PathBuf::from("standard input")),
        false => (files::read(path, files::STRUCTURED_LIMIT)?, path.to_owned()),
    };
    chain_in(text).map_err(|error| {
        let exit = if matches!(error, ReadError::Chain(_)) { Exit::Generic } else { Exit::Input };
        Failure::new(exit, error.to_string()).in_file(&name)
    })
}
