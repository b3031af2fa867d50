//! `plomb rewrap`: one reader in the place of another, over a whole repository.

use std::path::{Path, PathBuf};

use secret::{DataKey, OsRandom, SecretBytes};
use sops::{Encrypted, Replacement};

use crate::commands::rotate;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::many::{self, Done, Wanted};
use crate::paths::shown;
use crate::recipients::{self, TrustFlags};
use crate::{files, format, ui};

/// Give files another reader, such as the new key of a cluster
///
/// Only the entries of those who come and go change: values, MAC and binding stay as they are and are checked before
/// and after. With --drop only files that list such a reader are changed. Whoever is dropped still knows the data key:
/// --new-data-key makes another one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders and globs: of the latter two the encrypted files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Recipients who are to read the files
    #[arg(long, value_name = "RECIPIENT", required = true)]
    to: Vec<String>,
    /// Recipients whose place they take
    #[arg(long, value_name = "RECIPIENT")]
    drop: Vec<String>,
    /// Open the files with the identities in this key file only
    #[arg(long, value_name = "KEYFILE")]
    from: Vec<PathBuf>,
    /// Make a new data key and encrypt everything with it
    #[arg(long)]
    new_data_key: bool,
    #[command(flatten)]
    trust: TrustFlags,
    #[command(flatten)]
    many: many::Flags,
}

/// Who comes and who goes.
struct Names {
    to: Vec<String>,
    drop: Vec<String>,
}

impl Names {
    fn replacement(&self) -> Replacement<'_> {
        Replacement { to: &self.to, drop: &self.drop }
    }
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    if !args.from.is_empty() {
        context.use_identities(&args.from)?;
    }
    let split = args.drop.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let names = Names { to: recipients::parse_list(&args.to)?, drop: split.map(str::to_owned).collect() };
    if let Some(both) = names.to.iter().find(|name| names.drop.iter().any(|gone| keys::same_recipient(gone, name))) {
        let what = format!("{} is to come and to go", keys::short_recipient(both));
        return Err(Failure::new(Exit::Usage, what));
    }
    if names.to.is_empty() {
        return Err(Failure::new(Exit::Usage, "--to names nobody"));
    }
    let trusts = !args.trust.accept_recipient.is_empty() || !args.trust.drop_entry.is_empty();
    if trusts && !args.new_data_key {
        let what = "--accept-recipient and --drop-entry go with --new-data-key: without it nobody else is wrapped to";
        return Err(Failure::new(Exit::Usage, what));
    }
    let files = many::select(&args.files, Wanted::Encrypted, context)?;
    many::run(&files, args.many, |file| one(file, &names, &args, context))
}

fn one(file: &Path, names: &Names, args: &Args, context: &Context) -> Result<Done, Failure> {
    let format = format::choose(None, file);
    let (rewriting, text) = files::Rewrite::begin_or_read(file, Context::limit(format), args.many.dry_run)?;
    let encrypted = context.encrypted(text.duplicate(), format)?;
    if !names.replacement().concerns(encrypted.metadata()) {
        return Ok("not concerned");
    }
    let key = context.data_key(&encrypted)?;
    proven(context.encrypted(text.duplicate(), format)?, &key, context)?;
    let after = match args.new_data_key {
        true => Some(with_new_key(file, text, names, args, context)?),
        false => with_same_key(&encrypted, &key, names, context)?,
    };
    let Some(after) = after else { return Ok("unchanged") };
    if !args.new_data_key {
        proven(context.encrypted(after.duplicate(), format)?, &key, context)?;
    }
    tell_rule(file, names, context)?;
    match rewriting {
        None => Ok("would be rewrapped"),
        Some(rewriting) => {
            rewriting.commit(after.expose())?;
            Ok("rewrapped")
        }
    }
}

/// Opens it and checks MAC and, of a sealed resource, place and shape.
fn proven(encrypted: Encrypted, key: &DataKey, context: &Context) -> Result<(), Failure> {
    let plain = context.decrypt_with(encrypted, key.to_secret())?;
    let doc = plain.document();
    if sealed::write::is_resource(doc) && !sealed::write::is_in_order(doc) {
        let what = "its binding does not fit its place and shape; nothing was written";
        return Err(Failure::new(Exit::Generic, what).hint("find out who changed it, then `plomb bind`"));
    }
    Ok(())
}

fn with_same_key(
    encrypted: &Encrypted,
    key: &DataKey,
    names: &Names,
    context: &Context,
) -> Result<Option<SecretBytes>, Failure> {
    let ring = (context.keyring(), &context.access());
    let replaced = encrypted.replace_readers(key, names.replacement(), ring, &mut OsRandom::new())?;
    Ok(replaced.map(|replaced| replaced.text))
}

fn with_new_key(
    file: &Path,
    text: SecretBytes,
    names: &Names,
    args: &Args,
    context: &Context,
) -> Result<SecretBytes, Failure> {
    let format = format::choose(None, file);
    let encrypted = context.encrypted(text.duplicate(), format)?;
    let is_there = |name: &&String| encrypted.metadata().recipients().any(|it| keys::same_recipient(it, name));
    let remove: Vec<String> = names.drop.iter().filter(is_there).cloned().collect();
    let job = rotate::Job { name: file, text, format, add: &names.to, remove: &remove, trust: &args.trust };
    Ok(rotate::rotate(job, context)?.text.into_whole())
}

/// A rule that says something else would take the new reader out again.
fn tell_rule(file: &Path, names: &Names, context: &Context) -> Result<(), Failure> {
    let Some(rule) = recipients::rule(file, context)? else { return Ok(()) };
    let named = |name: &&String| !rule.recipients().any(|other| keys::same_recipient(other, name));
    if let Some(name) = names.to.iter().find(named) {
        let name = keys::short_recipient(name);
        let folder = file.parent().map(shown).unwrap_or_default();
        let place = if folder.is_empty() { String::new() } else { format!(" for {folder}") };
        ui::note(&format!("note: the creation rule{place} does not name {name}: `plomb updatekeys` would remove it"));
    }
    Ok(())
}
