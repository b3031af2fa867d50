//! The steps of a key's life, and how each is taken: what is made, what is patched.

use secret::Random;
use serde_json::{Value, json};
use sops::Timestamp;

use super::escrow::{self, EscrowState};
use super::lifecycle::World;
use super::published::Published;
use super::record::{
    IDLE_ANNOTATION, KEY_LABEL, KeyRecord, KeyState, NUMBER_ANNOTATION, RecordError, STATEMENTS_ENTRY,
};
use super::signing::StatementKey;
use super::statement::Statement;
use super::usage::Named;

/// One thing to do, or to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the Secret that [`make`] gives.
    Make {
        /// With a new statement key too, since the old one may be known to somebody.
        successor: bool,
    },
    /// Patch the Secret with what [`patch`] gives: the key needs a statement that follows the newest one.
    Restate {
        /// Name of the Secret.
        secret: String,
    },
    /// Write the ConfigMap that [`publish`] gives: the chain is not what is there.
    Publish,
    /// The same, since the backup is not what it should be.
    Escrow,
    /// Patch the Secret: active becomes decrypt-only, and what is not of the chain is taken back.
    Demote {
        /// Name of the Secret.
        secret: String,
    },
    /// Patch the Secret: the key becomes revoked, as a person asked. Say who loses.
    Revoke {
        /// Name of the Secret.
        secret: String,
        /// Resources that nothing opens any more.
        losers: Named,
    },
    /// Patch the Secret: since when no resource needs the key, or that one does again.
    MarkIdle {
        /// Name of the Secret.
        secret: String,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Say that a person may delete the Secret.
    MayRetire {
        /// Name of the Secret.
        secret: String,
        /// Since when no resource needs the key.
        since: Timestamp,
    },
    /// Say that resources need a key that is gone.
    Miss {
        /// Its recipient.
        recipient: String,
        /// The resources.
        needed_by: Named,
    },
    /// Say why nothing is made.
    Wait(WaitReason),
}

/// Why no key is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitReason {
    /// Key Secrets that cannot be read.
    Unreadable(Vec<RecordError>),
    /// The controller was told to wait.
    Bootstrap,
    /// The published key has no Secret any more.
    KeyDeleted(String),
    /// What was published cannot be read.
    PublishedUnreadable,
    /// There are keys, none of which is active.
    NoneActive,
    /// Resources list nobody who has a key here.
    UnknownRecipients(Named),
}

impl WaitReason {
    /// One word, for conditions and events.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "KeyUnreadable",
            Self::Bootstrap => "WaitingForKey",
            Self::KeyDeleted(_) => "KeyDeleted",
            Self::PublishedUnreadable => "PublishedUnreadable",
            Self::NoneActive => "NoActiveKey",
            Self::UnknownRecipients(_) => "UnknownRecipients",
        }
    }
}

impl std::fmt::Display for WaitReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(errors) => {
                let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
                write!(f, "no key is made while a key Secret cannot be read: {}", texts.join("; "))
            }
            Self::Bootstrap => f.write_str("bootstrap is wait: restore the key, or start with bootstrap new"),
            Self::KeyDeleted(name) => {
                let name = keys::short_recipient(name);
                write!(
                    f,
                    "the key of {name} was published and its Secret is gone: restore it (plomb keys restore), or "
                )?;
                f.write_str("start with bootstrap new")
            }
            Self::PublishedUnreadable => {
                f.write_str(
                    "the ConfigMap of recipients cannot be read, and there is no key: restore either, or start ",
                )?;
                f.write_str("with bootstrap new")
            }
            Self::NoneActive => f.write_str("no key is labelled active: label one, or start with bootstrap new"),
            Self::UnknownRecipients(named) => {
                write!(f, "no key is here, and {} resources are encrypted to somebody else ({named}): ", named.count)?;
                f.write_str("restore the key, or start with bootstrap new")
            }
        }
    }
}

impl Step {
    /// Whether something is written. The others are said, and change nothing.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::MayRetire { .. } | Self::Miss { .. } | Self::Wait(_))
    }
}

/// [`Step::Make`]: a new active key with its first statement. Nothing of it is known to anybody before its Secret is
/// created.
pub fn make(world: &World<'_>, successor: bool, random: &mut dyn Random) -> KeyRecord {
    let settings = world.settings;
    let mut record = KeyRecord::generate(&settings.name, settings.key_type, world.now, random);
    let said = world.said();
    let before = said.last();
    let old_key = before.and_then(|before| world.signer(&before.statement_key));
    let kept = old_key.filter(|key| !successor && !world.is_burnt(key)).cloned();
    let key = kept.unwrap_or_else(|| StatementKey::generate(random));
    record.statements = vec![Statement::make(world.cluster, &record.recipient, before, (&key, old_key), world.now)];
    record.signing = Some(key);
    record
}

/// [`Step::Restate`], [`Step::Demote`], [`Step::Revoke`], [`Step::MarkIdle`]: the name of the Secret and a JSON merge
/// patch with uid and resource version, so that it applies to what was decided about or not at all. `None` for other
/// steps, and for a Secret that is not there.
pub fn patch(world: &World<'_>, step: &Step) -> Option<(String, Value)> {
    let (secret, change) = match step {
        Step::Demote { secret } => (secret, Value::Null),
        Step::Revoke { secret, .. } => (secret, label(KeyState::Revoked)),
        Step::MarkIdle { secret, since } => {
            let since = since.map(|since| since.to_string());
            (secret, json!({"metadata": {"annotations": {IDLE_ANNOTATION: since}}}))
        }
        Step::Restate { secret } => (secret, Value::Null),
        _ => return None,
    };
    let record = world.records.iter().find(|record| record.name == *secret)?;
    let mut change = match step {
        Step::Restate { .. } => restated(world, record)?,
        Step::Demote { .. } => demoted(world, record),
        _ => change,
    };
    change["metadata"]["uid"] = json!(record.uid);
    change["metadata"]["resourceVersion"] = json!(record.resource_version);
    Some((secret.clone(), change))
}

fn label(state: KeyState) -> Value {
    json!({"metadata": {"labels": {KEY_LABEL: state.word()}}})
}

/// Decrypt-only, and without a statement that is not of the chain: of two keys that were made at once, one spoke in vain.
fn demoted(world: &World<'_>, record: &KeyRecord) -> Value {
    let mut change = label(KeyState::DecryptOnly);
    let chain = world.said();
    let kept: Vec<&Statement> = record.statements.iter().filter(|it| chain.contains(it)).collect();
    if kept.len() < record.statements.len() {
        let text = serde_json::to_string(&kept).expect("structs of strings are always JSON");
        change["data"] = json!({STATEMENTS_ENTRY: escrow::base64(&text)});
    }
    change
}

/// One statement more about a key that has been there before.
fn restated(world: &World<'_>, record: &KeyRecord) -> Option<Value> {
    let key = record.signing.as_ref()?;
    let said = world.said();
    let before = said.last();
    let old_key = before.and_then(|before| world.signer(&before.statement_key));
    let statement = Statement::make(world.cluster, &record.recipient, before, (key, old_key), world.now);
    let number = statement.number;
    let mut statements: Vec<&Statement> = record.statements.iter().collect();
    statements.push(&statement);
    let text = serde_json::to_string(&statements).expect("structs of strings are always JSON");
    Some(json!({
        "metadata": {"annotations": {NUMBER_ANNOTATION: number.to_string()}},
        "data": {STATEMENTS_ENTRY: escrow::base64(&text)},
    }))
}

/// [`Step::Publish`] and [`Step::Escrow`]: what is to be published. An escrow file that cannot be made anew stays, and one
/// that alone holds keys which are needed stays beside the new one.
pub fn publish(world: &World<'_>) -> Published {
    let there = world.published;
    let statements = world.chain().unwrap_or_else(|| there.statements.clone());
    let made = match (world.escrow(), world.winner().and_then(|winner| winner.signing.as_ref())) {
        (EscrowState::Due, Some(signer)) => {
            let settings = world.settings;
            escrow::make(world.records, &settings.recovery, signer, &settings.namespace).ok()
        }
        _ => None,
    };
    let (escrow, older) = match made {
        Some(made) => (Some(made), escrow::kept(world.records, there, world.usage).0),
        None => (there.escrow.clone(), there.older.clone()),
    };
    Published { statements, escrow, older, damaged: false }
}
