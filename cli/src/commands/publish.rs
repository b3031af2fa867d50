//! `plomb publish`: puts encrypted files where destination_rules say, encrypted anew if they say so.

use std::path::{Path, PathBuf};

use document::Format;
use secret::SecretBytes;
use sops::config::{Destination, DestinationRule, Strictness};
use sops::{Policy, Readers};

use crate::commands::rotate;
use crate::config::ConfigFile;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::shown;
use crate::{files, format, paths, ui};

/// Copy encrypted files to the folder that destination_rules name
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Leave the extension off the published name
    #[arg(long)]
    omit_extensions: bool,
    /// Format of the files: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    for file in &args.files {
        one(file, &args, context).map_err(|failure| failure.in_file(file))?;
    }
    Ok(Exit::Ok)
}

fn one(file: &Path, args: &Args, context: &Context) -> Result<(), Failure> {
    let format = format::choose(args.input_type.as_deref(), file);
    let none = || Failure::new(Exit::Generic, "no destination rule is for it");
    let found = context.config_for(file, Strictness::Strict)?.ok_or_else(none)?;
    if let Some(problem) = &found.config.destination_problem {
        return Err(Failure::from(problem.clone()).in_file(&found.path));
    }
    let rule = found.config.destination_for(&found.rule_path(file)).ok_or_else(none)?;
    let target = target(file, rule, &found, args.omit_extensions)?;
    let text = files::read(file, Context::limit(format))?;
    let after = content(file, text, format, rule.recreation.as_ref(), context)?;
    check_target(&target, format)?;
    if !args.yes && !ui::is_interactive() {
        let what = format!("nobody is here to agree that it is written to {}", shown(&target));
        return Err(Failure::new(Exit::Generic, what).hint("say --yes"));
    }
    if !args.yes && !ui::confirm(&format!("Write {} to {}?", shown(file), shown(&target))) {
        ui::note(&format!("{}: not published", shown(file)));
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| Failure::io(folder, "make this folder", &error).exit(Exit::Output))?;
    }
    files::replace(&target, after.expose())?;
    ui::note(&format!("{}: published to {}", shown(file), shown(&target)));
    Ok(())
}

/// The file to write: below the configuration's folder unless the rule's path is absolute.
fn target(file: &Path, rule: &DestinationRule, found: &ConfigFile, omit: bool) -> Result<PathBuf, Failure> {
    let folder = match &rule.destination {
        Some(Destination::Path(folder)) => folder,
        Some(Destination::Network(field)) => {
            let what = format!("its destination is on the network ({field}), and plomb opens no connection");
            return Err(Failure::new(Exit::Generic, what).hint("use `path` in the rule, then upload that folder"));
        }
        None => return Err(Failure::new(Exit::Generic, "its destination rule names no destination")),
    };
    let config = paths::absolute(&found.path);
    let base = config.parent().unwrap_or(Path::new("/"));
    let name = file.file_name().ok_or_else(|| Failure::new(Exit::Input, "is not a file"))?;
    let name = if omit || rule.omit_extensions { Path::new(name).with_extension("") } else { PathBuf::from(name) };
    let target = paths::absolute(&base.join(folder)).join(name);
    if target == paths::absolute(file) {
        return Err(Failure::new(Exit::Generic, "its destination is the file itself"));
    }
    Ok(target)
}

/// What is published: the file as it is, or encrypted anew by the recreation rule.
fn content(
    file: &Path,
    text: SecretBytes,
    format: &'static dyn Format,
    recreation: Option<&Policy>,
    context: &Context,
) -> Result<SecretBytes, Failure> {
    let encrypted = context.encrypted(text.duplicate(), format)?;
    let Some(policy) = recreation.filter(|policy| policy.recipients().next().is_some() || !policy.foreign.is_empty())
    else {
        return Ok(text);
    };
    if let Some(name) = policy.foreign.first() {
        return Err(sops::SopsError::ForeignKey(name.clone()).into());
    }
    let layout = rotate::layout_of(file, &encrypted, context)?;
    let plain = context.decrypt(encrypted, false)?;
    ui::notices(file, plain.notices());
    let mut metadata = plain.metadata().clone();
    // The readers of the original are not those of the copy.
    metadata.groups.clear();
    metadata.selector = policy.selector.clone().unwrap_or_default();
    metadata.selector_written = true;
    metadata.mac_only_encrypted = policy.mac_only_encrypted;
    let readers = Readers { groups: policy.groups.clone(), threshold: policy.threshold };
    Ok(rotate::reseal(plain, &metadata, &readers, &layout, context)?.text.into_whole())
}

/// A configuration in a repository must not be able to make us overwrite anything but what we published before.
fn check_target(target: &Path, format: &'static dyn Format) -> Result<(), Failure> {
    if target.symlink_metadata().is_err() {
        return Ok(());
    }
    let old = files::read(target, Context::limit(format))?;
    let published = format.parse_sealed(old).ok().is_some_and(|doc| sops::Encrypted::new(doc).is_ok());
    if published {
        return Ok(());
    }
    let what = "exists and is not an encrypted file; it is not replaced";
    Err(Failure::new(Exit::Output, what).in_file(target))
}
