//! `plomb unset`: one value less in an encrypted file.

use std::path::PathBuf;

use sops::rewrite::Change;

use crate::commands::set;
use crate::context::Context;
use crate::failure::Outcome;
use crate::{format, rewrite};

/// Remove one value from an encrypted file
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    file: PathBuf,
    /// Where the value is, such as '["a"][0]'
    #[arg(value_name = "PATH")]
    path: String,
    /// Write nothing, and do not fail, if there is no such value
    #[arg(long)]
    idempotent: bool,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Go on although the MAC is missing or wrong: values may have been changed, added, removed or moved
    #[arg(long)]
    ignore_mac: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    context.ignore_mac = args.ignore_mac;
    let path = set::path(&args.path)?;
    let format = format::choose(args.input_type.as_deref(), &args.file);
    rewrite::one_value(&args.file, format, &Change::Unset(path), args.idempotent, context)
}
