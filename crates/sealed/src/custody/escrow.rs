//! The whole backup: every key of the cluster, encrypted to the recovery recipients. `age -d` opens it too, and what
//! comes out is what `kubectl apply` takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::{EncryptedFile, Keyring, Recipient, encrypt_file, parse_recipient};
use secret::SecretBytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::published::Published;
use super::record::{KEY_LABEL, KeyRecord, KeyState};
use super::signing::{StatementKey, verify};
use super::usage::Usage;
use crate::binding::{canonical, hex};
use crate::desired::LiveSecret;
use crate::manifest::{self, Manifest};

/// What the signed bytes begin with.
const CONTEXT: &str = "plomb.dev/escrow/v1\n";
/// Largest payload: a ConfigMap holds no more.
const LIMIT: usize = 1 << 20;
/// Most earlier files that are kept.
const OLDER: usize = 8;

/// Who can open the escrow: from the start arguments only, never from an object of the cluster.
#[derive(Debug, Default)]
pub struct Recovery {
    recipients: Vec<Box<dyn Recipient>>,
}

impl Recovery {
    /// Reads age recipients.
    ///
    /// # Errors
    /// Naming the first that is none.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, keys::KeyError> {
        let recipients = texts.into_iter().map(|text| parse_recipient(text.as_ref()));
        let recipients: Vec<_> = recipients.collect::<Result<_, _>>()?;
        let alone = recipients.iter().find(|recipient| recipient.to_age().is_none());
        if let Some(alone) = alone {
            let recipient = keys::short_recipient(alone.id());
            return Err(keys::KeyError::Recipient { recipient, why: "a plugin's recipient cannot be used here" });
        }
        Ok(Self { recipients })
    }

    /// The recipients as texts, for events and status.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.recipients.iter().map(|recipient| recipient.id())
    }

    /// Those to whom these keys may be escrowed: a post-quantum key only to post-quantum ones, else it would be as
    /// weak as they are. age does not mix the two kinds in one file.
    fn fitting(&self, records: &[KeyRecord]) -> Vec<&dyn Recipient> {
        let hybrid = |recipient: &&dyn Recipient| recipient.kind() == "hybrid";
        let all = self.recipients.iter().map(|recipient| &**recipient);
        let needs = records.iter().any(KeyRecord::is_hybrid);
        let classic = self.recipients.iter().any(|recipient| recipient.kind() != "hybrid");
        match needs {
            true => all.filter(hybrid).collect(),
            false => all.filter(|recipient| !classic || !hybrid(recipient)).collect(),
        }
    }
}

/// The escrow file with what the controller says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub struct EscrowFile {
    /// The armored age file.
    #[cfg_attr(feature = "crd", schemars(length(max = 2_097_152)))]
    pub file: String,
    /// What is in it.
    pub note: EscrowNote,
}

/// What an escrow file holds and for whom, signed: tells without opening it whether it is still right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscrowNote {
    /// SHA-256 of the file.
    pub digest: String,
    /// SHA-256 of names, states and statements of the keys in it.
    pub content: String,
    /// Recipients of the keys in it.
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 256)))]
    pub keys: Vec<String>,
    /// Who can open it.
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 256)))]
    pub recovery: Vec<String>,
    /// The key that signs this.
    pub statement_key: String,
    /// The signature.
    pub signature: String,
}

/// How it stands with the backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EscrowState {
    /// Every key is in it.
    Escrowed {
        /// Recovery recipients that cannot be used beside the others.
        left_out: Vec<String>,
        /// Keys that have no Secret any more and that resources need: they are in an earlier file, which is kept.
        older: Vec<String>,
    },
    /// It is about to be made.
    Due,
    /// No key is active, so that there is nothing to sign a new one with; what is there stays.
    NoKey,
    /// A key Secret cannot be read: a file without it might replace the only good copy.
    Unreadable(Vec<String>),
    /// There is nobody to encrypt to.
    NoRecoveryRecipients,
    /// The cluster key is post-quantum and no recovery recipient is.
    NotPostQuantum,
    /// As many earlier files as may be are kept, and the last holds keys, too, whose Secrets are gone and which resources
    /// need: it is not replaced.
    Held(Vec<String>),
}

impl EscrowState {
    /// Status, reason and message of the condition `Escrowed`.
    pub fn condition(&self) -> (&'static str, &'static str, String) {
        let short = |names: &[String]| names.iter().map(|it| keys::short_recipient(it)).collect::<Vec<_>>().join(", ");
        match self {
            Self::Escrowed { left_out, older } => {
                let mut said = Vec::new();
                if !left_out.is_empty() {
                    let what = "cannot be used: post-quantum and other recipients do not go together in one file";
                    said.push(format!("{} {what}", short(left_out)));
                }
                if !older.is_empty() {
                    let what = "has no Secret and is in an earlier escrow file, which is kept since resources need it";
                    said.push(format!("{} {what}", short(older)));
                }
                ("True", "Escrowed", said.join("; "))
            }
            Self::Due => ("False", "Due", "the escrow file is about to be written".to_owned()),
            Self::NoKey => {
                let what = "no key is active, so that no escrow file is made; one that was published stays";
                ("False", "NoKey", what.to_owned())
            }
            Self::Unreadable(names) => {
                let what = "cannot be read, so that no escrow file is made; one that was published stays";
                ("False", "KeyUnreadable", format!("Secret {} {what}", names.join(", ")))
            }
            Self::NoRecoveryRecipients => {
                let what = "the controller was started without --recovery-recipient: if its key Secrets are lost, so \
                            is the key";
                ("False", "NoRecoveryRecipients", what.to_owned())
            }
            Self::NotPostQuantum => {
                let what = "the cluster key is post-quantum, and no recovery recipient is: an escrow to them would be \
                            as weak as they are";
                ("False", "NotPostQuantum", what.to_owned())
            }
            Self::Held(keys) => {
                let what = "is in the escrow file only, resources need it, and no more earlier files are kept: restore \
                            it (plomb keys restore), then the file is renewed";
                ("False", "KeyMissing", format!("{} {what}", short(keys)))
            }
        }
    }
}

/// How it stands with the backup of `records`, given what is there and who signs.
pub(super) fn state(
    records: &[KeyRecord],
    recovery: &Recovery,
    there: &Published,
    signer: &StatementKey,
    usage: &Usage,
) -> EscrowState {
    if recovery.recipients.is_empty() {
        return EscrowState::NoRecoveryRecipients;
    }
    let fitting = recovery.fitting(records);
    if fitting.is_empty() {
        return EscrowState::NotPostQuantum;
    }
    let (kept, older) = kept(records, there, usage);
    if kept.len() > OLDER {
        return EscrowState::Held(older);
    }
    let fresh = there.escrow.as_ref().is_some_and(|there| {
        there.is_whole()
            && there.note.statement_key == signer.public()
            && there.note.content == content(records)
            && there.note.recovery == names(&fitting)
    });
    if !fresh || kept != there.older {
        return EscrowState::Due;
    }
    let left_out = recovery.names().filter(|name| !fitting.iter().any(|it| it.id() == *name));
    EscrowState::Escrowed { left_out: left_out.map(str::to_owned).collect(), older }
}

/// Of the files that are there, those that are kept beside a new one, by digest, and the keys that they are kept for:
/// nobody has these any more, and resources need them. Whoever may make a resource can make a key needed, so that must not
/// keep the keys of today out of the backup.
pub(super) fn kept(records: &[KeyRecord], there: &Published, usage: &Usage) -> (Vec<EscrowFile>, Vec<String>) {
    let mut held = Vec::new();
    let mut kept: Vec<EscrowFile> = Vec::new();
    // What is kept already comes first, so that the answer stays the same once it was acted upon.
    for file in there.older.iter().chain(&there.escrow).filter(|file| file.is_whole()) {
        let is_gone = |name: &&String| !records.iter().any(|record| record.recipient == **name);
        let needed = file.note.keys.iter().filter(is_gone).filter(|name| usage.missed(name).is_some());
        let new: Vec<String> = needed.filter(|name| !held.contains(*name)).cloned().collect();
        if !new.is_empty() {
            held.extend(new);
            kept.push(file.clone());
        }
    }
    kept.sort_by_key(EscrowFile::id);
    held.sort();
    (kept, held)
}

/// Encrypts every key to the recovery recipients that fit.
///
/// # Errors
/// When there is nobody to encrypt to.
pub(super) fn make(
    records: &[KeyRecord],
    recovery: &Recovery,
    signer: &StatementKey,
    namespace: &str,
) -> Result<EscrowFile, keys::KeyError> {
    let mut payload = zeroize::Zeroizing::new(Vec::new());
    let mut sorted: Vec<&KeyRecord> = records.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for record in sorted {
        if !payload.is_empty() {
            payload.extend_from_slice(b"---\n");
        }
        let manifest = record.to_secret(namespace).to_yaml().expect("a Secret of texts is always YAML");
        payload.extend_from_slice(manifest.expose());
    }
    let fitting = recovery.fitting(records);
    let names = names(&fitting);
    let again: Vec<Box<dyn Recipient>> = fitting.iter().map(|it| parse_recipient(it.id())).collect::<Result<_, _>>()?;
    let file = encrypt_file(&again, &SecretBytes::new(std::mem::take(&mut *payload)))?;
    let mut note = EscrowNote {
        digest: sha256(file.as_bytes()),
        content: content(records),
        keys: records.iter().map(|record| record.recipient.clone()).collect(),
        recovery: names,
        statement_key: signer.public(),
        signature: String::new(),
    };
    note.keys.sort();
    note.signature = signer.sign(&note.signed_text());
    Ok(EscrowFile { file, note })
}

impl EscrowFile {
    /// What tells it from others, for names of entries and files: the beginning of its digest.
    pub fn id(&self) -> String {
        self.note.digest.chars().skip("sha256:".len()).filter(char::is_ascii_hexdigit).take(12).collect()
    }

    /// Whether the note was signed by the key that it names, and is about this file.
    pub fn is_whole(&self) -> bool {
        let note = &self.note;
        note.digest == sha256(self.file.as_bytes()) && verify(&note.statement_key, &note.signed_text(), &note.signature)
    }
}

impl EscrowNote {
    /// As it stands in the ConfigMap.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings is always JSON")
    }

    fn signed_text(&self) -> String {
        let bare = Self { signature: String::new(), ..self.clone() };
        let bare = serde_json::to_value(bare).expect("a struct of strings is always JSON");
        let mut text = CONTEXT.to_owned();
        canonical(&bare, &mut text);
        text
    }
}

/// What came out of an escrow file.
#[derive(Debug)]
pub struct Restored {
    /// The keys' Secrets, as they were.
    pub secrets: Vec<Manifest>,
    /// The keys in them.
    pub records: Vec<KeyRecord>,
}

/// Why an escrow file gives nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is no age file, or a damaged one.
    #[error("{0}")]
    File(#[from] keys::KeyError),
    /// No identity opens it.
    #[error("{0}")]
    Unopened(keys::Unopened),
    /// It opens and holds something else.
    #[error("it opens, but does not hold the key Secrets of a cluster: {0}")]
    Content(String),
}

/// Opens an escrow file: the Secrets of every key, to be applied to a new cluster.
///
/// # Errors
/// When it is damaged, no identity fits, or it is no escrow.
pub fn restore(file: &[u8], ring: &Keyring) -> Result<Restored, RestoreError> {
    let payload = EncryptedFile::parse(file, LIMIT)?.open(ring).map_err(RestoreError::Unopened)?;
    let content = |why: String| RestoreError::Content(why);
    let secrets = manifest::read(payload, "escrow.yaml", "").map_err(|error| content(error.what))?;
    let mut records = Vec::new();
    for secret in &secrets {
        let is_key = secret.id.kind == "Secret" && secret.mark("labels", KEY_LABEL).is_some();
        if !is_key {
            return Err(content(format!("{} is no key Secret", secret.id)));
        }
        let live = LiveSecret::of(secret).map_err(|error| content(error.what))?;
        records.push(KeyRecord::of(&live).map_err(|error| content(error.to_string()))?);
    }
    if records.is_empty() {
        return Err(content("it is empty".to_owned()));
    }
    Ok(Restored { secrets, records })
}

impl Restored {
    /// Adds the keys of an earlier file that are not here yet.
    pub fn add(&mut self, earlier: Self) {
        for (secret, record) in earlier.secrets.into_iter().zip(earlier.records) {
            if !self.records.iter().any(|here| here.recipient == record.recipient || here.name == record.name) {
                self.secrets.push(secret);
                self.records.push(record);
            }
        }
    }

    /// The active key's recipient, if one is active.
    pub fn active(&self) -> Option<&str> {
        let active = self.records.iter().filter(|record| record.state == KeyState::Active);
        active.max_by_key(|record| record.number()).map(|record| record.recipient.as_str())
    }
}

fn names(recipients: &[&dyn Recipient]) -> Vec<String> {
    let mut names: Vec<String> = recipients.iter().map(|recipient| recipient.id().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn content(records: &[KeyRecord]) -> String {
    let line = |record: &KeyRecord| {
        let statement = record.statements.last().map(super::Statement::digest).unwrap_or_default();
        format!("{} {} {} {statement}\n", record.name, record.recipient, record.state.word())
    };
    let mut lines: Vec<String> = records.iter().map(line).collect();
    lines.sort();
    sha256(lines.concat().as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Base64 of a secret text, for patches of a Secret.
pub(super) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}
