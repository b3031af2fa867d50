//! `plomb encrypt`: values become `ENC[…]`, everything else stays as it is.

use std::path::{Path, PathBuf};

use document::{Document, EmitOptions, Format};
use secret::{DataKey, OsRandom, SecretBytes};
use sops::{Memory, Policy, SealOptions, Sealed, Sealing, Selector};

use crate::config::{self, Ruling};
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::many::{self, Done, Wanted};
use crate::reuse::{Older, Source};
use crate::{files, format, inspect, resource, result, ui};

/// Encrypt the values of a file, as .sops.yaml says
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files; with --in-place also folders and globs: then the plain files that a rule with a path_regex matches.
    /// Standard input if none is given (then --filename-override is needed)
    files: Vec<PathBuf>,
    /// Write the result back to the file
    #[arg(short, long)]
    in_place: bool,
    #[command(flatten)]
    many: many::Flags,
    /// Write the result to this file
    #[arg(long, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Choose rule and format as for a file of this name
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
    /// Format of the input: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Format of the output
    #[arg(long, value_name = "FORMAT")]
    output_type: Option<String>,
    #[command(flatten)]
    policy: PolicyFlags,
    /// Leave comments in clear
    #[arg(long)]
    plain_comments: bool,
    /// Allow a file in which no value is selected for encryption
    #[arg(long)]
    allow_plaintext: bool,
    /// Keep data key and ciphertexts of this encrypted version for what did not change
    #[arg(long, value_name = "FILE", conflicts_with = "no_reuse")]
    from: Option<PathBuf>,
    /// Always make a new data key, whatever the last commit has
    #[arg(long)]
    no_reuse: bool,
}

/// Flags that stand in for, or add to, a creation rule.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PolicyFlags {
    /// Recipients (age or ssh), separated by commas; they replace the rule's
    #[arg(short, long, value_name = "RECIPIENTS", env = "SOPS_AGE_RECIPIENTS", hide_env_values = true)]
    pub(crate) age: Option<String>,
    /// Encrypt only values with a key on their path in which this is found
    #[arg(long, value_name = "REGEX")]
    pub(crate) encrypted_regex: Option<String>,
    /// Encrypt all but values with a key on their path in which this is found
    #[arg(long, value_name = "REGEX")]
    pub(crate) unencrypted_regex: Option<String>,
    /// Encrypt only values with a key on their path that ends so
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) encrypted_suffix: Option<String>,
    /// Encrypt all but values with a key on their path that ends so
    #[arg(long, value_name = "SUFFIX")]
    pub(crate) unencrypted_suffix: Option<String>,
    /// Encrypt only values behind a comment in which this is found
    #[arg(long, value_name = "REGEX")]
    pub(crate) encrypted_comment_regex: Option<String>,
    /// Encrypt all but values behind a comment in which this is found
    #[arg(long, value_name = "REGEX")]
    pub(crate) unencrypted_comment_regex: Option<String>,
    /// Compute the MAC over encrypted values only
    #[arg(long)]
    pub(crate) mac_only_encrypted: bool,
    /// Key groups needed to open the file
    #[arg(long, value_name = "NUMBER")]
    pub(crate) shamir_secret_sharing_threshold: Option<usize>,
}

impl PolicyFlags {
    fn selector(&self) -> Result<Option<Selector>, Failure> {
        let given = [
            ("encrypted_regex", &self.encrypted_regex),
            ("unencrypted_regex", &self.unencrypted_regex),
            ("encrypted_suffix", &self.encrypted_suffix),
            ("unencrypted_suffix", &self.unencrypted_suffix),
            ("encrypted_comment_regex", &self.encrypted_comment_regex),
            ("unencrypted_comment_regex", &self.unencrypted_comment_regex),
        ];
        let mut given = given.into_iter().filter_map(|(field, text)| text.as_deref().map(|text| (field, text)));
        let first = given.next().filter(|(_, text)| !text.is_empty());
        if given.next().is_some() {
            let what = "cannot use more than one of the selector flags in the same file";
            return Err(Failure::new(Exit::Flags, what));
        }
        let selector = first.map(|(field, text)| {
            Selector::from_field(field, text).map_err(|why| {
                let flag = field.replace('_', "-");
                Failure::new(Exit::Generic, format!("--{flag}: {why}"))
                    .hint("without a valid pattern nothing is encrypted")
            })
        });
        selector.transpose()
    }

    /// The policy of the rule with these flags on top, for a file of this name.
    ///
    /// # Errors
    /// When a flag is wrong or says something else than the rule.
    pub(crate) fn over(&self, rule: Option<Ruling>, file: &Path) -> Result<Policy, Failure> {
        let place = rule.as_ref().map(|rule| (rule.config.clone(), rule.at));
        let mut policy = rule.map(|rule| rule.policy).unwrap_or_default();
        if let Some(age) = self.age.as_deref().filter(|age| !age.trim().is_empty()) {
            let recipients: Vec<String> =
                age.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
            policy.groups = vec![recipients];
            policy.foreign.clear();
        }
        if let Some(selector) = self.selector()? {
            if policy.selector.as_ref().is_some_and(|of_rule| of_rule.field().0 != selector.field().0) {
                let what = "the selector flag is of another kind than the selector of the creation rule";
                return Err(Failure::new(Exit::Flags, what));
            }
            policy.selector = Some(selector);
        }
        policy.mac_only_encrypted |= self.mac_only_encrypted;
        policy.threshold = self.shamir_secret_sharing_threshold.or(policy.threshold);
        let failure = if let Some(foreign) = policy.foreign.first() {
            sops::SopsError::ForeignKey(foreign.clone()).into()
        } else if policy.recipients().next().is_some() {
            return Ok(policy);
        } else if place.is_some() {
            Failure::new(Exit::Generic, "the creation rule names no recipient").hint("give the rule an `age` field")
        } else {
            let hint = config::passed_over(file);
            Failure::new(Exit::Generic, "no recipient to encrypt to")
                .hint(hint.unwrap_or_else(|| "name one with --age, or write a .sops.yaml".to_owned()))
        };
        let (file, at) = place.unzip();
        Err(Failure { file, at, ..failure })
    }
}

/// One file to encrypt.
pub(crate) struct Job<'a> {
    /// The name that chooses the rule.
    pub(crate) name: &'a Path,
    /// Its text.
    pub(crate) text: SecretBytes,
    /// Its format.
    pub(crate) input: &'static dyn Format,
    /// The format to write.
    pub(crate) output: &'static dyn Format,
    /// Choices.
    pub(crate) options: SealOptions,
}

/// Encrypts one text under the creation rule for its name.
///
/// # Errors
/// Everything that can be wrong with the configuration, the flags, the recipients or the text.
pub(crate) fn encrypt(job: Job<'_>, flags: &PolicyFlags, context: &Context) -> Result<Sealed, Failure> {
    encrypt_again(job, &Source::Nothing, flags, context)
}

/// The same; what `older` has already keeps its ciphertext if readers and selectors are the same.
///
/// # Errors
/// As [`encrypt`], and when an older version that the user named cannot be used.
pub(crate) fn encrypt_again(
    mut job: Job<'_>,
    older: &Source,
    flags: &PolicyFlags,
    context: &Context,
) -> Result<Sealed, Failure> {
    let mut doc = context.plain(std::mem::take(&mut job.text), job.input)?;
    if let Some(entry) = sops::metadata_entry(&doc) {
        let at = Some(doc.place(entry.key_span.start));
        return Err(Failure { at, ..sops::SopsError::AlreadyEncrypted.into() });
    }
    // Encrypted twice, they would never be what they were.
    if context.mode == Mode::Plomb && inspect::is_stripped(&mut doc) {
        return Err(inspect::stripped().exit(Exit::AlreadyEncrypted));
    }
    let lenient = context.mode == Mode::Plomb && flags.age.is_some();
    let rule = if lenient { context.policy_if_any(job.name)? } else { context.policy_for(job.name)? };
    let policy = flags.over(rule, job.name)?;
    let policy = if context.mode == Mode::Plomb { resource::policy(&doc, policy) } else { policy };
    if context.mode == Mode::Plomb && inspect::hides_manifest(&doc, &policy) {
        ui::note(inspect::MANIFEST_NOTE);
    }
    match older.open(job.name, job.output, &policy, context)? {
        Some(older) => encrypt_like(doc, &job, older, context),
        None => encrypt_anew(doc, &job, &policy, context),
    }
}

/// Under a new data key.
fn encrypt_anew(doc: Document, job: &Job<'_>, policy: &Policy, context: &Context) -> Result<Sealed, Failure> {
    if context.without_keys {
        let what = "Could not generate data key: no key services provided, cannot update master keys";
        return Err(Failure::new(Exit::Generic, what));
    }
    let mut rng = OsRandom::new();
    let key = DataKey::generate(&mut rng);
    let metadata = policy.metadata(&key, &context.access(), &mut rng)?;
    metadata.recipients().for_each(|name| context.tell("AGE", "info", "Encryption succeeded", Some(name)));
    let now = context.now();
    let sealing = Sealing {
        key: &key,
        metadata,
        memory: Memory::default(),
        options: job.options,
        rng: &mut rng,
        now,
        created: now,
    };
    seal_as(doc, job, sealing, context)
}

/// Under the data key of an older version, with the ciphertexts of what did not change.
fn encrypt_like(doc: Document, job: &Job<'_>, mut older: Older, context: &Context) -> Result<Sealed, Failure> {
    if let Some(sealed) = older.unchanged(&doc, job, context) {
        return Ok(sealed);
    }
    let mut rng = OsRandom::new();
    let memory = older.plain.take_memory();
    let metadata = older.plain.metadata().clone();
    // SOPS does not say when it made the key; it was no later than this.
    let created = older.plain.key_created().unwrap_or(metadata.lastmodified);
    let now = context.now();
    let key = older.plain.key();
    let sealing = Sealing { key, metadata, memory, options: job.options, rng: &mut rng, now, created };
    if job.input.name() == job.output.name() && older.is_sops_layout(&doc, job.name, context) {
        return Ok(sops::seal_tree(doc, sealing, &EmitOptions { indent: older.indent() })?);
    }
    seal_as(doc, job, sealing, context)
}

/// In place; as a new tree where the output has another format.
fn seal_as(doc: Document, job: &Job<'_>, sealing: Sealing<'_>, context: &Context) -> Result<Sealed, Failure> {
    if job.input.name() == job.output.name() {
        return Ok(sops::seal(doc, sealing)?);
    }
    let doc = Document {
        source: SecretBytes::default(),
        branches: doc.branches,
        metadata: None,
        metadata_spans: Vec::new(),
        format: job.output,
    };
    let options = context.emit_options(job.name, job.output)?;
    Ok(sops::seal_tree(doc, sealing, &EmitOptions { indent: options.indent })?)
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    if args.files.is_empty() {
        return from_stdin(&args, context);
    }
    if args.in_place {
        let files = many::select(&args.files, Wanted::Plain, context)?;
        return many::run(&files, args.many, |file| in_place(file, &args, context));
    }
    match args.files.as_slice() {
        [file] => {
            many::refuse(args.many)?;
            one(file, &args, context).map_err(|failure| failure.in_file(file))
        }
        _ => {
            let what = "several files can only be encrypted in place";
            Err(Failure::new(Exit::Usage, what).hint("add --in-place"))
        }
    }
}

fn in_place(file: &Path, args: &Args, context: &Context) -> Result<Done, Failure> {
    let name = args.filename_override.as_deref().unwrap_or(file);
    let limit = Context::limit(format::choose(args.input_type.as_deref(), name));
    let (rewrite, text) = files::Rewrite::begin_or_read(file, limit, args.many.dry_run)?;
    let sealed = seal(args, (name, Some(file)), text, context)?;
    ui::notices(file, &sealed.notices);
    match rewrite {
        None => Ok("would be encrypted"),
        Some(rewrite) => {
            rewrite.commit(&sealed.text)?;
            Ok("encrypted")
        }
    }
}

fn from_stdin(args: &Args, context: &Context) -> Outcome {
    let Some(name) = &args.filename_override else {
        let what = "--filename-override is needed when standard input is encrypted";
        return Err(Failure::new(Exit::Flags, what));
    };
    let input = format::choose(args.input_type.as_deref(), name);
    let text = files::read_stdin(Context::limit(input))?;
    let sealed =
        seal(args, (name, None), text, context).map_err(|failure| failure.in_file(Path::new("standard input")))?;
    put(args, &sealed)
}

fn one(file: &Path, args: &Args, context: &Context) -> Outcome {
    let name = args.filename_override.as_deref().unwrap_or(file);
    let limit = Context::limit(format::choose(args.input_type.as_deref(), name));
    let sealed = seal(args, (name, Some(file)), files::read(file, limit)?, context)?;
    ui::notices(file, &sealed.notices);
    put(args, &sealed)
}

fn seal(
    args: &Args,
    (name, file): (&Path, Option<&Path>),
    text: SecretBytes,
    context: &Context,
) -> Result<Sealed, Failure> {
    let input = format::choose(args.input_type.as_deref(), name);
    let output = args.output_type.as_deref().map_or(input, |word| format::choose(Some(word), name));
    let options = SealOptions {
        plain_comments: args.plain_comments,
        allow_nothing: args.allow_plaintext,
        allow_big_integers: false,
    };
    let older = older(args, file);
    encrypt_again(Job { name, text, input, output, options }, &older, &args.policy, context)
}

/// The older version: named, or the committed one of the file that is written.
fn older(args: &Args, file: Option<&Path>) -> Source {
    let written = if args.in_place { file } else { args.output.as_deref() };
    match (&args.from, written) {
        (Some(from), _) => Source::File(from.clone()),
        (None, Some(written)) if !args.no_reuse => Source::Head(written.to_owned()),
        _ => Source::Nothing,
    }
}

fn put(args: &Args, sealed: &Sealed) -> Outcome {
    result::put(args.output.as_deref(), &sealed.text)?;
    Ok(Exit::Ok)
}
