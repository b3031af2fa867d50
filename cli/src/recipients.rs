//! Before a data key is wrapped: whose recipients are these, and do the entries hold what they say?
//!
//! Whoever can write a file can add a recipient to its metadata, which no MAC covers. Wrapping the data key to
//! it would hand out the secrets, so every recipient needs somebody to vouch for it.

use std::path::Path;

use secret::DataKey;
use sops::config::Strictness;
use sops::{Examined, Metadata, Policy, Standing, Untrusted};

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure};
use crate::paths::shown;
use crate::ui;

/// What the user says about recipients and entries that are not vouched for.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct TrustFlags {
    /// Let this recipient of the file read it, though neither .sops.yaml nor the file's own list names it
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) accept_recipient: Vec<String>,
    /// Drop this key entry that is not an age key, such as 'pgp: FINGERPRINT'
    #[arg(long, value_name = "NAME")]
    pub(crate) drop_entry: Vec<String>,
}

/// The policy that vouches for the recipients of `file`, if a rule matches it.
///
/// # Errors
/// When the configuration is wrong.
pub(crate) fn rule(file: &Path, context: &Context) -> Result<Option<Policy>, Failure> {
    let strictness = if context.mode == Mode::Plomb { Strictness::Strict } else { Strictness::Lenient };
    let found = context.config_for(file, strictness)?;
    Ok(found.and_then(|found| found.config.policy_for(&found.rule_path(file)).cloned()))
}

/// Checks that rule, stored list or user vouch for every recipient in `metadata`.
///
/// # Errors
/// Naming those for whom nobody does, in full.
pub(crate) fn vouch(
    file: &Path,
    metadata: &Metadata,
    stored: Option<&[String]>,
    accepted: &[String],
    context: &Context,
) -> Result<(), Failure> {
    let rule = rule(file, context)?;
    match sops::untrusted_recipients(metadata, rule.as_ref(), stored, accepted) {
        Ok(()) => {
            tell_left_out(file, metadata, rule.as_ref(), context);
            Ok(())
        }
        Err(Untrusted::Recipients(strangers)) => {
            let by = if rule.is_some() { "the creation rule" } else { "the list that plomb stored in the file" };
            Err(stranger(&strangers, &format!("{by} does not name it")))
        }
        Err(Untrusted::Unknown(strangers)) => unknown(file, &strangers, context),
    }
}

/// Readers who were accepted once and whom the rule no longer names stay until somebody says otherwise.
fn tell_left_out(file: &Path, metadata: &Metadata, rule: Option<&Policy>, context: &Context) {
    let Some(rule) = rule.filter(|_| context.mode == Mode::Plomb) else { return };
    let named = |name: &str| rule.recipients().any(|other| keys::same_recipient(other, name));
    for name in metadata.recipients().filter(|name| !named(name)) {
        let name = keys::short_recipient(name);
        ui::note(&format!("note: {}: {name} is not in the creation rule; `plomb updatekeys` removes it", shown(file)));
    }
}

fn stranger(names: &[String], why: &str) -> Failure {
    let what = format!("the file lists {} as recipient, but {why}; it is not given the new key", names.join(" and "));
    let accept = names.iter().map(|name| format!("--accept-recipient '{name}'")).collect::<Vec<_>>().join(" ");
    let hint = format!("find out who added it; if it shall read the file: {accept}");
    Failure::new(Exit::Generic, what).hint(hint)
}

/// Nothing to compare with: SOPS' rules go on with a warning, ours ask.
fn unknown(file: &Path, names: &[String], context: &Context) -> Result<(), Failure> {
    let list = names.join(" and ");
    if context.mode == Mode::Sops {
        let warning = format!("warning: {}: the key is wrapped to recipients that no rule names: {list}", shown(file));
        ui::note(&crate::paths::one_line(&warning));
        return Ok(());
    }
    if ui::is_interactive() {
        let question = format!("No creation rule is there to compare with. Shall {list} be able to read the file?");
        return match ui::confirm(&question) {
            true => Ok(()),
            false => Err(Failure::new(Exit::Generic, "nothing was written")),
        };
    }
    Err(stranger(names, "there is no creation rule that names it"))
}

/// Checks the entries that identities at hand can open.
///
/// # Errors
/// When one of a reader who stays does not hold what its label says.
pub(crate) fn check_labels(
    metadata: &Metadata,
    key: &DataKey,
    removed: &[String],
    context: &Context,
) -> Result<(), Failure> {
    let mut found = sops::examine(metadata, key, context.keyring());
    found.retain(|entry| !removed.iter().any(|name| keys::same_recipient(name, &entry.recipient)));
    if let Some(lie) = found.iter().find(|entry| entry.standing == Standing::False) {
        return Err(false_label(lie));
    }
    for entry in &found {
        let name = &entry.recipient;
        match entry.standing {
            Standing::Damaged => ui::note(&format!("note: the entry of {name} could not be opened by anyone")),
            Standing::Unverified if context.verbose => ui::note(&format!("note: the entry of {name} is unverified")),
            _ => {}
        }
    }
    Ok(())
}

fn false_label(lie: &Examined) -> Failure {
    let what = format!("the entry that is labelled {} does not hold the data key for it", lie.recipient);
    Failure::new(Exit::Generic, what)
        .hint("somebody changed the metadata; `plomb updatekeys` writes such entries anew from .sops.yaml")
}

/// Drops the entries of other kinds that the user named; refuses those that are left.
///
/// # Errors
/// Naming an entry that `doing` would need to wrap to, or a name that fits nothing.
pub(crate) fn drop_entries(metadata: &mut Metadata, names: &[String]) -> Result<usize, Failure> {
    let mut all = 0;
    for name in names {
        let dropped: usize = metadata.groups.iter_mut().map(|group| group.drop_entries(name)).sum();
        if dropped == 0 {
            return Err(Failure::new(Exit::Generic, format!("the file has no key entry {name}")));
        }
        all += dropped;
    }
    Ok(all)
}

/// Refuses entries that the data key cannot be wrapped to.
///
/// # Errors
/// Naming the first.
pub(crate) fn refuse_foreign(metadata: &Metadata) -> Result<(), Failure> {
    let foreign: Vec<String> = metadata.groups.iter().flat_map(sops::Group::foreign).collect();
    let Some(first) = foreign.first() else { return Ok(()) };
    let what = format!("the file is also encrypted to {}, to which plomb cannot wrap a new key", foreign.join(", "));
    Err(Failure::new(Exit::Generic, what).hint(format!("give that reader up with --drop-entry '{first}'")))
}

/// Recipients from flags: separated by commas, each checked.
///
/// # Errors
/// When one is no recipient.
pub(crate) fn parse_list(texts: &[String]) -> Result<Vec<String>, Failure> {
    let parts = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|part| !part.is_empty());
    let checked = |part: &str| match keys::parse_recipient(part) {
        // Whether its plugin may run is asked when the key is wrapped.
        Ok(_) | Err(keys::KeyError::PluginNotAllowed(_)) => Ok(part.to_owned()),
        Err(error) => Err(error.into()),
    };
    parts.map(checked).collect()
}

/// The recipient texts of each group, without repetitions inside a group.
pub(crate) fn groups_of(metadata: &Metadata) -> Vec<Vec<String>> {
    let group = |group: &sops::Group| {
        let mut names: Vec<String> = Vec::new();
        for key in &group.age {
            if !names.iter().any(|name| keys::same_recipient(name, &key.recipient)) {
                names.push(key.recipient.clone());
            }
        }
        names
    };
    metadata.groups.iter().map(group).collect()
}
