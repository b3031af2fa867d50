//! `plomb verify`: structure and MAC of encrypted files, without showing a value; and no file in clear that a creation
//! rule wants encrypted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use document::Format;
use keys::{WrappedKey, short_recipient};
use secret::SecretBytes;
use serde_json::{Map, json};
use sops::{Encrypted, SopsError};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::inspect::Governed;
use crate::many::{self, Report, Wanted};
use crate::paths::{one_line, shown};
use crate::{files, format, inspect, ui};

/// Check structure and MAC of encrypted files, without showing values
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders or globs; the whole repository if none is given
    paths: Vec<PathBuf>,
    /// Accept files that no identity at hand opens: their structure is still checked, their MAC is not
    #[arg(long)]
    allow_unopened: bool,
    /// Accept files in clear that a creation rule wants encrypted
    #[arg(long)]
    allow_plain: bool,
    /// Report as JSON: one array with file, status, opened and, where it failed, error
    #[arg(long)]
    json: bool,
}

/// What a file turned out to be.
enum Found {
    Encrypted(Checked),
    /// In clear, and what is wrong with that; nothing, where its rule selects no value of it.
    Plain(Option<Failure>),
}

/// What is known of a file that holds together.
struct Checked {
    /// Why no identity opened it, if none did.
    unopened: Option<Failure>,
    /// Its wrapped data keys.
    wrapped: Vec<String>,
    values: usize,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let files = many::select(&many::or_everything(&args.paths), Wanted::Secret, context)?;
    let results = many::each(&files, |file| check(file, context).map_err(|failure| failure.in_file(file)));
    let mut report = Report::new(args.json);
    let mut holders: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    for (file, (result, notes)) in files.iter().zip(results) {
        report.notes(notes);
        let checked = match result {
            Ok(Found::Encrypted(checked)) => checked,
            Ok(Found::Plain(wrong)) => {
                match wrong.filter(|_| !args.allow_plain) {
                    Some(failure) => report.failed(file, "plain", failure.in_file(file)),
                    None => report.done(file, "plain", Map::new()),
                }
                continue;
            }
            Err(failure) => {
                report.failed(file, "broken", failure);
                continue;
            }
        };
        checked.wrapped.into_iter().for_each(|enc| holders.entry(enc).or_default().push(file));
        match checked.unopened {
            Some(failure) if !args.allow_unopened => report.failed(file, "unopened", failure),
            Some(_) => report.done(file, "unopened", details(checked.values)),
            None => report.done(file, "verified", details(checked.values)),
        }
    }
    report.notes(shared(holders));
    if files.is_empty() && !args.json {
        ui::note("note: there is no file that is or should be encrypted");
    } else if files.len() == 1 && !args.json {
        ui::note(&format!("files: {}", report.summary()));
    }
    report.finish()
}

fn details(values: usize) -> Map<String, serde_json::Value> {
    [("values".to_owned(), json!(values))].into_iter().collect()
}

fn check(file: &Path, context: &Context) -> Result<Found, Failure> {
    let format = format::choose(None, file);
    let text = files::read(file, Context::limit(format))?;
    if let Some(conflict) = inspect::conflict(format, text.expose()) {
        return Err(conflict);
    }
    if !inspect::has_block(format, text.expose())
        && let Some(governed) = inspect::governed(file, context)?
    {
        return in_clear(text, format, &governed).map(Found::Plain);
    }
    let mut encrypted = context.encrypted(text, format)?;
    let values = structure(file, &mut encrypted)?;
    let metadata = encrypted.metadata();
    let entries = metadata.groups.iter().flat_map(|group| &group.age);
    let wrapped = entries.map(|key| key.enc.trim().to_owned()).collect();
    let unopened = match context.data_key(&encrypted) {
        Ok(key) => {
            let plain = encrypted.unlock(key, false)?.verify()?;
            ui::notices(file, plain.notices());
            None
        }
        Err(failure) if failure.exit == Exit::NoKey => Some(failure.in_file(file)),
        Err(failure) => return Err(failure),
    };
    Ok(Found::Encrypted(Checked { unopened, wrapped, values }))
}

/// The first value in clear that the rule wants encrypted.
fn in_clear(text: SecretBytes, format: &'static dyn Format, governed: &Governed) -> Result<Option<Failure>, Failure> {
    let mut doc = format.parse(text)?;
    if inspect::is_stripped(&mut doc) {
        return Err(inspect::stripped());
    }
    let selector = governed.rule().policy.selector.clone().unwrap_or_default();
    // A binary file is one value, to which no selector applies.
    let place = match doc.format.edits_in_place() {
        true => sops::survey(&mut doc, &selector).first_in_clear.map(|place| place.at),
        false => Some(None),
    };
    let what = format!("stands in clear, but creation rule {} wants it encrypted", governed.number());
    let hint = "`plomb encrypt --in-place` encrypts it; --allow-plain accepts it";
    Ok(place.map(|at| Failure { at, ..Failure::new(Exit::Generic, what).hint(hint) }))
}

/// What can be checked without a key: every selected value is a token that some key could open, the MAC is there,
/// and every wrapped key can be read.
fn structure(file: &Path, encrypted: &mut Encrypted) -> Result<usize, Failure> {
    let found = encrypted.survey();
    let in_clear = found.first_in_clear.map(|place| (place, sops::ValueError::NotEncrypted));
    // Whichever comes first in the file is what a reader finds first.
    let mut worst: Vec<_> = in_clear.into_iter().chain(found.first_damaged).collect();
    worst.sort_by_key(|(place, _)| place.at);
    if let Some((place, source)) = worst.into_iter().next() {
        return Err(SopsError::Value { place, source }.into());
    }
    if encrypted.metadata().mac.is_none() {
        return Err(SopsError::NoMac.into());
    }
    let name = shown(file);
    if let Some(place) = found.first_stray {
        let at = place.at.map(|(line, column)| format!("{line}:{column}:")).unwrap_or_default();
        let more = if found.stray > 1 { format!(" (and {} more)", found.stray - 1) } else { String::new() };
        ui::note(&format!("warning: {name}:{at} looks encrypted, but the file's selector leaves it in clear{more}"));
    }
    for key in encrypted.metadata().groups.iter().flat_map(|group| &group.age) {
        if let Err(error) = WrappedKey::parse(&key.enc) {
            let who = short_recipient(&key.recipient);
            ui::note(&one_line(&format!("warning: {name}: the key entry of {who} cannot be read: {error}")));
        }
    }
    Ok(found.sealed)
}

/// Files with the same wrapped data key: whoever gets one key reads all of them, and a value can be moved between
/// them unnoticed where its path is the same.
fn shared(holders: BTreeMap<String, Vec<&Path>>) -> Vec<String> {
    let mut groups: Vec<Vec<&Path>> = holders.into_values().filter(|files| files.len() > 1).collect();
    groups.iter_mut().for_each(|files| files.dedup());
    groups.retain(|files| files.len() > 1);
    groups.sort();
    groups.dedup();
    let line = |files: &Vec<&Path>| {
        let names: Vec<String> = files.iter().take(3).map(|file| shown(file)).collect();
        let more = if files.len() > 3 { format!(" and {} more", files.len() - 3) } else { String::new() };
        let names = names.join(", ");
        format!("warning: {names}{more} share one data key (a copied file?); `plomb rotate` gives each its own")
    };
    groups.iter().map(line).collect()
}
