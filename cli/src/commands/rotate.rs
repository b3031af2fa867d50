//! `plomb rotate`: a new data key, every value encrypted anew.

use std::path::{Path, PathBuf};

use document::{EmitOptions, Format};
use secret::{DataKey, OsRandom, SecretBytes};
use sops::{Memory, Metadata, Plain, Readers, SealOptions, Sealed, Sealing};

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::many::{self, Done, Wanted};
use crate::recipients::{self, TrustFlags};
use crate::{files, format, result, ui};

/// Make a new data key and encrypt everything with it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files; with --in-place also folders and globs: then the encrypted files there
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the result back to the file
    #[arg(short, long)]
    in_place: bool,
    #[command(flatten)]
    many: many::Flags,
    /// Write the result to this file
    #[arg(long, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Add these recipients (age or ssh), separated by commas
    #[arg(long, value_name = "RECIPIENTS")]
    add_age: Vec<String>,
    /// Remove these recipients
    #[arg(long, value_name = "RECIPIENTS")]
    rm_age: Vec<String>,
    /// Choose rule and format as for a file of this name
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    #[command(flatten)]
    trust: TrustFlags,
}

/// One file to give a new data key.
pub(crate) struct Job<'a> {
    /// The name that chooses the rule.
    pub(crate) name: &'a Path,
    /// Its text.
    pub(crate) text: SecretBytes,
    /// Its format.
    pub(crate) format: &'static dyn Format,
    /// Recipients to add to the first group.
    pub(crate) add: &'a [String],
    /// Recipients to remove from every group.
    pub(crate) remove: &'a [String],
    /// What the user says about the others.
    pub(crate) trust: &'a TrustFlags,
}

/// Encrypts one file anew.
///
/// # Errors
/// When it does not open or verify, when nobody vouches for a recipient, when an entry cannot be wrapped to.
pub(crate) fn rotate(job: Job<'_>, context: &Context) -> Result<Sealed, Failure> {
    let encrypted = context.encrypted(job.text, job.format)?;
    let layout = layout_of(job.name, &encrypted, context)?;
    let plain = context.decrypt(encrypted, false)?;
    ui::notices(job.name, plain.notices());
    recipients::check_labels(plain.metadata(), plain.key(), job.remove, context)?;
    let mut metadata = plain.metadata().clone();
    // SOPS writes the selector out even where it is the default.
    metadata.selector_written |= context.mode == Mode::Sops;
    recipients::drop_entries(&mut metadata, &job.trust.drop_entry)?;
    recipients::refuse_foreign(&metadata)?;
    remove(&mut metadata, job.remove, context.mode)?;
    recipients::vouch(job.name, &metadata, plain.accepted_recipients(), &job.trust.accept_recipient, context)?;
    let mut readers = Readers { groups: recipients::groups_of(&metadata), threshold: metadata.threshold };
    if let Some(first) = readers.groups.first_mut() {
        let new = job.add.iter().filter(|name| !first.iter().any(|old| keys::same_recipient(old, name)));
        let new: Vec<String> = new.cloned().collect();
        first.extend(new);
    }
    reseal(plain, &metadata, &readers, &layout, context)
}

/// Encrypts `plain` with a new data key, wrapped to `readers`, under the rest of `metadata`.
///
/// # Errors
/// When a recipient is unusable, or the file cannot be encrypted.
pub(crate) fn reseal(
    plain: Plain,
    metadata: &Metadata,
    readers: &Readers,
    layout: &FileLayout,
    context: &Context,
) -> Result<Sealed, Failure> {
    let mut rng = OsRandom::new();
    let key = DataKey::generate(&mut rng);
    let metadata = sops::rekeyed(metadata, &key, readers, &context.access(), &mut rng)?;
    metadata.recipients().for_each(|name| context.tell("AGE", "info", "Encryption succeeded", Some(name)));
    let now = context.now();
    let sealing = Sealing {
        key: &key,
        metadata,
        memory: Memory::default(),
        options: SealOptions { allow_nothing: true, ..layout.seal(&plain) },
        rng: &mut rng,
        now,
        created: now,
    };
    Ok(sops::reseal(plain, sealing, &layout.emit)?)
}

/// What encrypting a file again must keep of its present form.
pub(crate) struct FileLayout {
    /// How the tree of a file that SOPS wrote is printed.
    pub(crate) emit: EmitOptions,
    /// No comment of it is encrypted.
    plain_comments: bool,
}

/// The present form of a file; in the drop-in mode SOPS' way of printing it.
///
/// # Errors
/// When the configuration is wrong.
pub(crate) fn layout_of(name: &Path, encrypted: &sops::Encrypted, context: &Context) -> Result<FileLayout, Failure> {
    let doc = encrypted.document();
    let emit = match context.mode == Mode::Sops || context.indent.is_some() {
        true => context.emit_options(name, doc.format)?,
        false => EmitOptions { indent: sops::indent_of(doc) },
    };
    let plain_comments = encrypted.metadata().has_layout() && sops::has_plain_comments(doc);
    Ok(FileLayout { emit, plain_comments })
}

impl FileLayout {
    /// Comments stay in clear where the selector would have had them encrypted and none is; big integers were
    /// allowed when the file was made.
    pub(crate) fn seal(&self, plain: &Plain) -> SealOptions {
        let skipped = |notice: &sops::Notice| matches!(notice, sops::Notice::PlainComment { .. });
        let plain_comments = self.plain_comments && plain.notices().iter().any(skipped);
        SealOptions { plain_comments, allow_nothing: false, allow_big_integers: true }
    }
}

fn remove(metadata: &mut Metadata, names: &[String], mode: Mode) -> Result<(), Failure> {
    for name in names {
        let before = metadata.recipients().count();
        for group in &mut metadata.groups {
            group.age.retain(|key| !keys::same_recipient(&key.recipient, name));
        }
        if metadata.recipients().count() == before && mode == Mode::Plomb {
            return Err(Failure::new(Exit::Generic, format!("{name} is not among the recipients of the file")));
        }
    }
    Ok(())
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let add = recipients::parse_list(&args.add_age)?;
    // A recipient to remove need not be a valid one: it may be the very reason for its removal.
    let split = args.rm_age.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
    let remove: Vec<String> = split.map(str::to_owned).collect();
    if args.in_place {
        let files = many::select(&args.files, Wanted::Encrypted, context)?;
        return many::run(&files, args.many, |file| in_place(file, &args, (&add, &remove), context));
    }
    match args.files.as_slice() {
        [file] => {
            many::refuse(args.many)?;
            one(file, &args, (&add, &remove), context).map_err(|failure| failure.in_file(file))
        }
        _ => Err(Failure::new(Exit::Usage, "several files can only be rotated in place").hint("add --in-place")),
    }
}

fn in_place(file: &Path, args: &Args, names: (&[String], &[String]), context: &Context) -> Result<Done, Failure> {
    let (job, limit) = job(file, args, names);
    let (rewrite, text) = files::Rewrite::begin_or_read(file, limit, args.many.dry_run)?;
    let sealed = rotate(Job { text, ..job }, context)?;
    match rewrite {
        None => Ok("would be rotated"),
        Some(rewrite) => {
            rewrite.commit(&sealed.text)?;
            context.tell("CMD", "info", "File written successfully", None);
            Ok("rotated")
        }
    }
}

/// What is to be done to `file`, without its text, and how large it may be.
fn job<'a>(file: &'a Path, args: &'a Args, (add, remove): (&'a [String], &'a [String])) -> (Job<'a>, u64) {
    let name = args.filename_override.as_deref().unwrap_or(file);
    let format = format::choose(args.input_type.as_deref(), name);
    let job = Job { name, text: SecretBytes::default(), format, add, remove, trust: &args.trust };
    (job, Context::limit(format))
}

fn one(file: &Path, args: &Args, names: (&[String], &[String]), context: &Context) -> Outcome {
    let (job, limit) = job(file, args, names);
    let sealed = rotate(Job { text: files::read(file, limit)?, ..job }, context)?;
    result::put(args.output.as_deref(), &sealed.text)?;
    Ok(Exit::Ok)
}
