//! The command line of the controller.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::outcome::{Exit, print, say};
use crate::{cluster, render};

/// Sealed resources become native Secrets.
#[derive(Debug, Parser)]
#[command(name = "plomb-controller", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Render(render::Args),
    Run(Box<cluster::Args>),
    /// Look after the backup of the cluster's keys
    #[command(subcommand)]
    Keys(Keys),
    Doctor(cluster::DoctorArgs),
    /// Print the CustomResourceDefinitions
    Crd,
}

#[derive(Debug, Subcommand)]
enum Keys {
    Export(cluster::ExportArgs),
}

/// Runs what the argument vector asks for. Without arguments, and with something piped in, this is the function of a
/// `kustomize` pipeline, which gives none.
pub(crate) fn dispatch(mut argv: Vec<OsString>) -> ExitCode {
    if argv.len() == 1 && !std::io::stdin().is_terminal() {
        argv.extend(["render", "-"].map(OsString::from));
    }
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; what cannot be printed is lost anyway.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    let done = match cli.command {
        Command::Render(args) => render::run(&args),
        Command::Run(args) => cluster::run(*args),
        Command::Keys(Keys::Export(args)) => cluster::export(args),
        Command::Doctor(args) => cluster::doctor(args),
        Command::Crd => print(sealed::resource::schema::definitions_yaml().as_bytes()).map(|()| Exit::Ok),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            say(&format!("error: {failure}"));
            failure.exit.into()
        }
    }
}
