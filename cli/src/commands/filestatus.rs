//! `plomb filestatus`: whether a file is encrypted, as JSON.

use std::path::PathBuf;

use sops::SopsError;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::{files, format, inspect, ui};

/// Say whether a file is encrypted, as JSON
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    file: PathBuf,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args, _context: &mut Context) -> Outcome {
    let format = format::choose(args.input_type.as_deref(), &args.file);
    let text = files::read(&args.file, Context::limit(format))?;
    let conflict = inspect::conflict(format, text.expose());
    let read = format.parse_sealed(text).map_err(SopsError::from).and_then(sops::Encrypted::new);
    let encrypted = match read {
        Ok(encrypted) => encrypted.metadata().mac.is_some(),
        Err(SopsError::NotEncrypted) => false,
        Err(error) => {
            let failure = conflict.unwrap_or_else(|| Failure::from(error));
            return Err(failure.exit(Exit::Generic).in_file(&args.file));
        }
    };
    ui::print(format!("{{\"encrypted\":{encrypted}}}\n").as_bytes())?;
    Ok(Exit::Ok)
}
