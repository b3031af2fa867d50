//! `plomb updatekeys`: who can read a file, and which values are encrypted, as .sops.yaml says now.

mod change;

use std::path::{Path, PathBuf};

use document::Format;
use secret::{OsRandom, SecretBytes};
use sops::config::Strictness;
use sops::{Encrypted, Group, Memory, Metadata, Policy, Readers, Sealing};

pub(crate) use change::Change;

use crate::commands::rotate;
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::shown;
use crate::recipients;
use crate::{files, format, ui};

/// Bring the readers of files, and which values are encrypted, in line with .sops.yaml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
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

/// Runs the command. Several files: the others are still done when one fails.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let mut failed = None;
    for file in &args.files {
        if let Err(failure) = one(file, &args, context) {
            let failure = failure.in_file(file);
            if args.files.len() == 1 {
                return Err(failure);
            }
            ui::note(&failure.to_string());
            failed = Some(Exit::Generic);
        }
    }
    Ok(failed.unwrap_or(Exit::Ok))
}

fn one(file: &Path, args: &Args, context: &Context) -> Result<(), Failure> {
    let format: &'static dyn Format = format::choose(args.input_type.as_deref(), file);
    let limit = Context::limit(format);
    let text = files::read(file, limit)?;
    let encrypted = context.encrypted(text.duplicate(), format)?;
    let policy = policy(file, context)?;
    let mut change = Change::between(encrypted.metadata(), &policy, format, context.mode);
    change.add_false(false_labels(&encrypted, context));
    if change.is_empty() && args.drop_entry.is_empty() {
        ui::note(&format!("{}: already up to date", shown(file)));
        return Ok(());
    }
    ui::note(&format!("{}: these changes will be made", shown(file)));
    change.lines().iter().for_each(|line| ui::note(&crate::paths::one_line(line)));
    if !args.yes && !ui::is_interactive() {
        let what = "nobody is here to agree to these changes; nothing was written";
        return Err(Failure::new(Exit::Generic, what).hint("say --yes"));
    }
    if !args.yes && !ui::confirm("Make these changes?") {
        ui::note(&format!("{}: left as it is", shown(file)));
        return Ok(());
    }
    // Locked only now: a person may take long to answer.
    let rewrite = files::Rewrite::begin(file, limit)?;
    if *rewrite.before() != text {
        let what = "it was changed by somebody else meanwhile; nothing was written";
        return Err(Failure::new(Exit::Generic, what).hint("try again"));
    }
    let after = apply(file, encrypted, &change, &args.drop_entry, context)?;
    rewrite.commit(after.expose())?;
    ui::note(&format!("{}: brought up to date", shown(file)));
    Ok(())
}
