//! `plomb updatekeys`: who can read a file, and which values are encrypted, as .sops.yaml says now.

mod change;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use document::Format;
use secret::{OsRandom, SecretBytes};
use sops::config::Strictness;
use sops::{Encrypted, Group, Memory, Metadata, Policy, Readers, Sealing};

pub(crate) use change::Change;

use crate::commands::rotate;
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::many::{self, Done, Wanted};
use crate::paths::shown;
use crate::recipients;
use crate::{files, format, resource, ui};

/// Bring the readers of files, and which values are encrypted, in line with .sops.yaml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders and globs: of the latter two the encrypted files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    many: many::Flags,
    /// Format of the files: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Drop this key entry that is not an age key, such as 'pgp: FINGERPRINT'
    #[arg(long, value_name = "NAME")]
    drop_entry: Vec<String>,
}

/// The policy that a file is to follow.
///
/// # Errors
/// When there is no configuration, or none of its rules is for the file.
pub(crate) fn policy(file: &Path, context: &Context) -> Result<Policy, Failure> {
    let strictness = if context.mode == Mode::Plomb { Strictness::Strict } else { Strictness::Lenient };
    let none = || {
        Failure::new(Exit::Generic, "there is no .sops.yaml with a creation rule for it")
            .hint("the rule says who is to read the file; `plomb rotate --add-age` works without one")
    };
    let found = context.config_for(file, strictness)?.ok_or_else(none)?;
    found.rule_for(file)?.map(|(_, rule)| rule.policy.clone()).ok_or_else(none)
}

/// Makes `change` in an encrypted text; what the change does not touch stays byte for byte.
///
/// # Errors
/// When the file does not open, when an entry of another kind stands in the way, when a recipient is unusable.
pub(crate) fn apply(
    name: &Path,
    encrypted: Encrypted,
    change: &Change,
    drop: &[String],
    context: &Context,
) -> Result<SecretBytes, Failure> {
    let mut metadata = encrypted.metadata().clone();
    let dropped = recipients::drop_entries(&mut metadata, drop)?;
    check_foreign(&metadata, change)?;
    let readers = Readers { groups: change.groups.clone(), threshold: change.threshold.1 };
    let new_key = context.mode == Mode::Plomb && (change.removes_readers() || dropped > 0);
    if !new_key && !change.touches_values() {
        let mut rng = OsRandom::new();
        let key = context.data_key(&encrypted)?;
        return Ok(encrypted.rewrap(&key, &readers, (context.keyring(), &context.access()), &mut rng)?);
    }
    let layout = rotate::layout_of(name, &encrypted, context)?;
    let mut plain = context.decrypt(encrypted, !new_key)?;
    ui::notices(name, plain.notices());
    change.put_selector(&mut metadata);
    if new_key {
        let note = "a reader was removed: new data key. Versions in Git stay readable to them: change the secrets too";
        ui::note(&format!("note: {}: {note}", shown(name)));
        return Ok(rotate::reseal(plain, &metadata, &readers, &layout, context)?.text.into_whole());
    }
    let mut rng = OsRandom::new();
    let memory: Memory = plain.take_memory();
    let key = secret::DataKey::try_from(plain.key().to_secret()).expect("a data key has the length of one");
    let metadata = sops::rewrapped(&metadata, &key, &readers, (context.keyring(), &context.access()), &mut rng)?;
    let now = context.now();
    let created = plain.key_created().unwrap_or(plain.metadata().lastmodified);
    let sealing = Sealing { key: &key, metadata, memory, options: layout.seal(&plain), rng: &mut rng, now, created };
    Ok(sops::reseal(plain, sealing, &layout.emit)?.text.into_whole())
}

/// Entries of other kinds can be kept while the rule names them too, and never added.
fn check_foreign(metadata: &Metadata, change: &Change) -> Result<(), Failure> {
    let present: Vec<String> = metadata.groups.iter().flat_map(Group::foreign).collect();
    if let Some(missing) = change.foreign.iter().find(|name| !present.contains(name)) {
        return Err(sops::SopsError::ForeignKey(missing.clone()).into());
    }
    if let Some(extra) = present.iter().find(|name| !change.foreign.contains(name)) {
        let what = format!("the file is also encrypted to {extra}, which the creation rule does not name");
        let hint = format!("add it to the rule, or give that reader up with --drop-entry '{extra}'");
        return Err(Failure::new(Exit::Generic, what).hint(hint));
    }
    Ok(())
}

/// Entries that turn out not to hold the data key. Nobody is asked for a passphrase only to find them.
fn false_labels(encrypted: &Encrypted, context: &Context) -> Vec<String> {
    let ring = context.keyring();
    let asks = ring.identities().any(|(identity, _)| identity.effort() != keys::Effort::Compute);
    if asks || context.mode == Mode::Sops {
        return Vec::new();
    }
    let Ok(key) = encrypted.data_key(ring) else { return Vec::new() };
    let found = sops::examine(encrypted.metadata(), &key, ring).into_iter();
    found.filter(|entry| entry.standing == sops::Standing::False).map(|entry| entry.recipient).collect()
}

/// A file that is not as its rule says.
struct Due {
    text: SecretBytes,
    encrypted: Encrypted,
    change: Change,
}

/// What a person said to it.
enum Agreed {
    /// There is nothing to do, for this reason.
    Nothing(Done),
    Do(Box<Due>),
}

/// Runs the command: all differences are found at once, a person is asked file by file, and what was agreed to is done at
/// once. One file that fails does not stop the others.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let context = &*context;
    if context.mode == Mode::Sops {
        return as_sops(&args, context);
    }
    let files = many::select(&args.files, Wanted::Encrypted, context)?;
    let found = many::each(&files, |file| look(file, &args, context));
    let agreed = files.iter().zip(found).map(|(file, (found, notes))| {
        notes.iter().for_each(|line| ui::note(line));
        Mutex::new(Some(found.and_then(|due| agree(file, due, &args, context))))
    });
    let agreed: Vec<_> = agreed.collect();
    let numbered: Vec<(usize, &PathBuf)> = files.iter().enumerate().collect();
    let results = files::syncing_once(|| {
        many::each(&numbered, |(number, file)| {
            let due = agreed[*number].lock().unwrap_or_else(PoisonError::into_inner).take();
            finish(file, due.expect("taken once"), &args, context).map_err(|failure| failure.in_file(file))
        })
    });
    many::report(&files, args.many, results)
}
/// SOPS knows files only, and does them one after the other.
fn as_sops(args: &Args, context: &Context) -> Outcome {
    let one = |file: &Path| {
        let agreed = look(file, args, context).and_then(|due| agree(file, due, args, context));
        finish(file, agreed, args, context).map_err(|failure| failure.in_file(file))
    };
    let mut failed = None;
    for file in &args.files {
        match one(file) {
            Ok(_) => {}
            Err(failure) if args.files.len() == 1 => return Err(failure),
            Err(failure) => {
                ui::note(&failure.to_string());
                failed = Some(Exit::Generic);
            }
        }
    }
    Ok(failed.unwrap_or(Exit::Ok))
}

/// What there is to do for a file; nothing, if it is as its rule says.
fn look(file: &Path, args: &Args, context: &Context) -> Result<Option<Due>, Failure> {
    let format: &'static dyn Format = format::choose(args.input_type.as_deref(), file);
    let text = files::read(file, Context::limit(format))?;
    let encrypted = context.encrypted(text.duplicate(), format)?;
    let mut policy = policy(file, context)?;
    if context.mode == Mode::Plomb {
        policy = resource::policy(encrypted.document(), policy);
    }
    let mut change = Change::between(encrypted.metadata(), &policy, format, context.mode);
    change.add_false(false_labels(&encrypted, context));
    let due = !change.is_empty() || !args.drop_entry.is_empty();
    Ok(due.then_some(Due { text, encrypted, change }))
}

/// Shows the differences and asks; what is left is to be done.
fn agree(file: &Path, due: Option<Due>, args: &Args, context: &Context) -> Result<Agreed, Failure> {
    let Some(due) = due else {
        ui::note(&format!("{}: already up to date", shown(file)));
        return Ok(Agreed::Nothing("up to date"));
    };
    ui::note(&format!("{}: these changes will be made", shown(file)));
    due.change.lines().iter().for_each(|line| ui::note(&crate::paths::one_line(line)));
    if args.many.dry_run {
        return Ok(Agreed::Nothing("would be brought up to date"));
    }
    if !args.yes && !agreed_by_user(context)? {
        ui::note(&format!("{}: left as it is", shown(file)));
        return Ok(Agreed::Nothing("left as it is"));
    }
    Ok(Agreed::Do(Box::new(due)))
}

/// The answer of whoever is at the terminal; to SOPS' name scripts may also give it through a pipe.
fn agreed_by_user(context: &Context) -> Result<bool, Failure> {
    let answer = match context.mode {
        Mode::Sops => ui::answer("Is this okay?"),
        Mode::Plomb => ui::is_interactive().then(|| ui::confirm("Make these changes?")),
    };
    let nobody = || {
        let what = "nobody is here to agree to these changes; nothing was written";
        Failure::new(Exit::Generic, what).hint("say --yes")
    };
    answer.ok_or_else(nobody)
}

fn finish(file: &Path, agreed: Result<Agreed, Failure>, args: &Args, context: &Context) -> Result<Done, Failure> {
    let due = match agreed? {
        Agreed::Nothing(done) => return Ok(done),
        Agreed::Do(due) => due,
    };
    // Locked only now: a person may take long to answer.
    let rewrite = files::Rewrite::begin(file, Context::limit(due.encrypted.document().format))?;
    if *rewrite.before() != due.text {
        let what = "it was changed by somebody else meanwhile; nothing was written";
        return Err(Failure::new(Exit::Generic, what).hint("try again"));
    }
    let after = apply(file, due.encrypted, &due.change, &args.drop_entry, context)?;
    rewrite.commit(after.expose())?;
    ui::note(&format!("{}: brought up to date", shown(file)));
    Ok("brought up to date")
}
