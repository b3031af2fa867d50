//! `plomb groups`: add a key group to a file, or take one away.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use secret::{OsRandom, SecretBytes};
use sops::{Plain, Readers};

use crate::commands::rotate;
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::recipients::{self, TrustFlags};
use crate::{files, format, ui};

/// Add a key group to a file, or take one away
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a group; the data key is split anew
    Add(Add),
    /// Take a group away; its readers can no longer open what comes after
    Delete(Delete),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Recipients of the new group (age or ssh)
    #[arg(long, value_name = "RECIPIENT", required = true)]
    age: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Delete {
    /// Number of the group, from 0
    number: usize,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The file
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Write the result back to the file
    #[arg(short, long)]
    in_place: bool,
    /// Key groups needed to open the file
    #[arg(long, value_name = "NUMBER")]
    shamir_secret_sharing_threshold: Option<usize>,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    #[command(flatten)]
    trust: TrustFlags,
}

/// What happens to the groups.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A group of these recipients comes last.
    Add(Vec<String>),
    /// The group with this number, from 0, goes.
    Delete(usize),
}

/// One file whose groups change.
pub(crate) struct Job<'a> {
    /// The name that chooses the rule.
    pub(crate) name: &'a Path,
    /// Its text.
    pub(crate) text: SecretBytes,
    /// Its format.
    pub(crate) format: &'static dyn document::Format,
    /// What happens.
    pub(crate) step: &'a Step,
    /// The new threshold, if it changes.
    pub(crate) threshold: Option<usize>,
    /// What the user says about the other recipients.
    pub(crate) trust: &'a TrustFlags,
}

/// Changes the groups of one file.
///
/// # Errors
/// When the file does not open or verify, when nobody vouches for a recipient, when groups and threshold do not fit.
pub(crate) fn change(job: Job<'_>, context: &Context) -> Result<SecretBytes, Failure> {
    let encrypted = context.encrypted(job.text.duplicate(), job.format)?;
    let layout = rotate::layout_of(job.name, &encrypted, context)?;
    let plain = context.decrypt(encrypted, false)?;
    let mut metadata = plain.metadata().clone();
    recipients::drop_entries(&mut metadata, &job.trust.drop_entry)?;
    let readers = readers(&job, &mut metadata)?;
    recipients::refuse_foreign(&metadata)?;
    recipients::check_labels(plain.metadata(), plain.key(), &gone(&plain, &readers), context)?;
    recipients::vouch(job.name, &metadata, plain.accepted_recipients(), &job.trust.accept_recipient, context)?;
    if context.mode == Mode::Plomb && matches!(job.step, Step::Delete(_)) {
        return Ok(rotate::reseal(plain, &metadata, &readers, &layout, context)?.text.into_whole());
    }
    let mut rng = OsRandom::new();
    let encrypted = context.encrypted(job.text, job.format)?;
    let keys = (context.keyring(), &context.access());
    Ok(encrypted.rewrap(plain.key(), &readers, keys, &mut rng)?)
}

/// Who reads the file afterwards; `metadata` keeps the entries of those who read it before and after.
fn readers(job: &Job<'_>, metadata: &mut sops::Metadata) -> Result<Readers, Failure> {
    if let Step::Delete(number) = *job.step {
        if number >= metadata.groups.len() {
            let what = format!("there is no group {number}: the file has {}, counted from 0", metadata.groups.len());
            return Err(Failure::new(Exit::Generic, what));
        }
        metadata.groups.remove(number);
    }
    let mut groups = recipients::groups_of(metadata);
    if let Step::Add(new) = job.step {
        groups.push(new.clone());
    }
    let threshold = job.threshold.filter(|number| *number > 0).or(metadata.threshold);
    if threshold.is_some_and(|threshold| threshold > groups.len()) {
        let what = format!("{} key groups cannot meet the threshold", groups.len());
        return Err(Failure::new(Exit::Generic, what).hint("give another --shamir-secret-sharing-threshold"));
    }
    Ok(Readers { groups, threshold })
}

fn gone(plain: &Plain, readers: &Readers) -> Vec<String> {
    let stays = |name: &str| readers.groups.iter().flatten().any(|other| keys::same_recipient(other, name));
    plain.metadata().recipients().filter(|name| !stays(name)).map(str::to_owned).collect()
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let (step, common) = match args.command {
        Command::Add(add) => (Step::Add(recipients::parse_list(&add.age)?), add.common),
        Command::Delete(delete) => (Step::Delete(delete.number), delete.common),
    };
    one(&step, &common, context).map_err(|failure| failure.in_file(&common.file))
}

fn one(step: &Step, common: &Common, context: &Context) -> Outcome {
    let name = common.file.as_path();
    let format = format::choose(common.input_type.as_deref(), name);
    let limit = Context::limit(format);
    let threshold = common.shamir_secret_sharing_threshold;
    let job = |text| Job { name, text, format, step, threshold, trust: &common.trust };
    if !common.in_place {
        ui::print(change(job(files::read(name, limit)?), context)?.expose())?;
        return Ok(Exit::Ok);
    }
    let rewrite = files::Rewrite::begin(name, limit)?;
    let text = change(job(rewrite.before().duplicate()), context)?;
    rewrite.commit(text.expose())?;
    Ok(Exit::Ok)
}
