//! `plomb status`: every secret file, whether it is encrypted, to whom, and how far from its rule.

use std::path::{Path, PathBuf};

use document::Format;
use keys::short_recipient;
use secret::SecretBytes;
use serde_json::{Map, Value, json};
use sops::{Encrypted, SopsError};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::inspect::{self, Governed};
use crate::many::{self, Report, Wanted};
use crate::paths::{one_line, shown};
use crate::{files, format, resource, ui};

/// Show every secret file: encrypted or not, rule, recipients, drift from .sops.yaml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders or globs; the whole repository if none is given
    paths: Vec<PathBuf>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Exit 1 when a file is in clear, partly in clear, broken, or not as its rule says
    #[arg(long)]
    check: bool,
}

/// What is told of one file.
#[derive(Default)]
struct Row {
    /// `encrypted`, `plain` or `partly` (a selected value stands in clear in an encrypted file).
    state: &'static str,
    rule: Option<usize>,
    recipients: Vec<String>,
    /// Seconds since the data key was made.
    age: Option<i64>,
    drift: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let files = many::select(&many::or_everything(&args.paths), Wanted::Secret, context)?;
    let results = many::each(&files, |file| look(file, context).map_err(|failure| failure.in_file(file)));
    let mut report = Report::new(args.json);
    let mut rows = Vec::new();
    let mut good = true;
    for (file, (result, notes)) in files.iter().zip(results) {
        report.notes(notes);
        match result {
            Ok(row) => {
                good &= row.state == "encrypted" && row.drift.is_empty();
                report.done(file, row.state, row.to_json());
                rows.push(row.cells(file, context.verbose));
            }
            Err(failure) => {
                let mut cells = Row::default().cells(file, false);
                cells[1] = "broken".to_owned();
                rows.push(cells);
                report.failed(file, "broken", failure);
            }
        }
    }
    if !args.json {
        ui::table(&["FILE", "STATE", "RULE", "RECIPIENTS", "KEY AGE", "DRIFT"], &rows)?;
    }
    let exit = report.finish_quietly()?;
    Ok(if args.check && exit == Exit::Ok && !good { Exit::Generic } else { exit })
}

fn look(file: &Path, context: &Context) -> Result<Row, Failure> {
    let format = format::choose(None, file);
    let text = files::read(file, Context::limit(format))?;
    let governed = inspect::governed(file, context)?;
    let rule = governed.as_ref().map(Governed::number);
    let conflict = inspect::conflict(format, text.expose());
    if !inspect::has_block(format, text.expose()) {
        let stripped =
            format.edits_in_place().then(|| format.parse(text).map(|mut doc| inspect::is_stripped(&mut doc)));
        return match (stripped, conflict) {
            (Some(Err(_)), Some(conflict)) => Err(conflict),
            (Some(Ok(true)), _) => Err(inspect::stripped()),
            _ => Ok(Row { state: "plain", rule, ..Row::default() }),
        };
    }
    if let Some(conflict) = conflict {
        return Err(conflict);
    }
    match read(text, format) {
        Ok(encrypted) => Ok(Row { rule, ..row(encrypted, governed.as_ref(), context) }),
        Err(SopsError::NotEncrypted) => Ok(Row { state: "plain", rule, ..Row::default() }),
        Err(error) => Err(Failure::from(error).exit(Exit::Generic)),
    }
}

fn read(text: SecretBytes, format: &'static dyn Format) -> Result<Encrypted, SopsError> {
    Encrypted::new(format.parse_sealed(text)?)
}

fn row(mut encrypted: Encrypted, governed: Option<&Governed>, context: &Context) -> Row {
    let found = encrypted.survey();
    let metadata = encrypted.metadata();
    let format = encrypted.document().format;
    let recipients = metadata.recipients().map(str::to_owned);
    let foreign = metadata.groups.iter().flat_map(sops::Group::foreign);
    let recipients = recipients.chain(foreign).collect();
    let drift = match governed {
        Some(governed) => {
            let rule = resource::policy(encrypted.document(), governed.rule().policy.clone());
            inspect::drift(metadata, &rule, format)
        }
        None => Vec::new(),
    };
    let partly = found.in_clear > 0;
    let age = key_age(encrypted, context);
    Row { state: if partly { "partly" } else { "encrypted" }, rule: None, recipients, age, drift }
}

/// Seconds since the data key was made, where the file says so and an identity surely opens it: nobody is asked
/// for a passphrase for a column of a table.
fn key_age(encrypted: Encrypted, context: &Context) -> Option<i64> {
    let metadata = encrypted.metadata();
    if !metadata.has_layout() || !metadata.recipients().any(|name| context.keyring().has_recipient(name)) {
        return None;
    }
    let key = encrypted.data_key(context.keyring()).ok()?;
    let created = encrypted.unlock(key, false).ok()?.verify().ok()?.key_created()?;
    Some((context.now().0 - created.0).max(0))
}

impl Row {
    fn cells(&self, file: &Path, full: bool) -> Vec<String> {
        let age = match (self.age, self.state) {
            (Some(seconds), _) => shown_age(seconds),
            (None, "encrypted" | "partly") => "unknown".to_owned(),
            _ => "-".to_owned(),
        };
        let drift = if self.drift.is_empty() { "-".to_owned() } else { self.drift.join("; ") };
        let name = |name: &String| if full { name.clone() } else { short_recipient(name) };
        let recipients: Vec<String> = self.recipients.iter().map(name).collect();
        let recipients = if recipients.is_empty() { "-".to_owned() } else { recipients.join(",") };
        let rule = self.rule.map_or_else(|| "-".to_owned(), |rule| rule.to_string());
        let cells = [shown(file), self.state.to_owned(), rule, recipients, age, drift];
        cells.iter().map(|cell| one_line(cell)).collect()
    }

    fn to_json(&self) -> Map<String, Value> {
        let fields = json!({
            "rule": self.rule,
            "recipients": self.recipients,
            "key_age_seconds": self.age,
            "drift": self.drift,
        });
        match fields {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}

fn shown_age(seconds: i64) -> String {
    match seconds {
        0..3600 => "under 1 h".to_owned(),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    }
}
