//! `plomb completion`: completions for shells, from the same description as the help.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::context::Context;
use crate::failure::{Exit, Outcome};
use crate::ui;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_parser = clap::value_parser!(Shell))]
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &Args, _context: &mut Context) -> Outcome {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut crate::args::Cli::command(), "plomb", &mut text);
    ui::print(&text)?;
    Ok(Exit::Ok)
}
