//! `plomb cluster recipients show`: what a cluster published, checked.

use std::path::PathBuf;

use sealed::custody::Statement;

use super::chain;
use crate::failure::{Exit, Outcome};
use crate::paths::one_line;
use crate::ui;

/// Check pinned files, or what a cluster publishes, and print it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Pinned files, or what kubectl says; - for standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print nothing but the recipients, one in a line
    #[arg(long)]
    recipient: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let mut out = String::new();
    for file in &args.files {
        let chain = chain(file)?;
        let newest = chain.newest();
        if args.recipient {
            out += &format!("{}\n", newest.recipient);
            continue;
        }
        let cluster = one_line(&newest.cluster);
        out += &format!("cluster:     {cluster} ({})\n", one_line(&newest.cluster_uid));
        out += &format!("recipient:   {}\n", newest.recipient);
        out += &format!("signed by:   {}\n", newest.fingerprint());
        chain.statements().iter().rev().for_each(|statement| out += &line(statement));
    }
    ui::print(out.as_bytes())?;
    Ok(Exit::Ok)
}

fn line(statement: &Statement) -> String {
    let name = keys::short_recipient(&statement.recipient);
    let created = one_line(&statement.created);
    format!("statement {}: {created} {name}\n", statement.number)
}
