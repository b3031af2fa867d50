//! One key of the cluster, and the Secret that it lives in.

use std::collections::BTreeMap;

use keys::{Access, parse_key_file};
use secret::{Random, SecretBytes, SecretString};
use sops::Timestamp;

use super::signing::StatementKey;
use super::statement::Statement;
use crate::binding::hex;
use crate::desired::{DesiredSecret, LiveSecret};
use crate::resource::OPAQUE;

/// The label of a key's Secret; its value is the state.
pub const KEY_LABEL: &str = "plomb.dev/key";
/// When the key was made.
pub const CREATED_ANNOTATION: &str = "plomb.dev/created";
/// Number of the key's newest statement; for people.
pub const NUMBER_ANNOTATION: &str = "plomb.dev/number";
/// Set to `true` by a person: this key is to be revoked.
pub const REVOKE_ANNOTATION: &str = "plomb.dev/revoke";
/// Since when no resource needs the key.
pub const IDLE_ANNOTATION: &str = "plomb.dev/not-needed-since";

/// The age identity, as a key file: Flux and others read entries of this name.
pub const IDENTITY_ENTRY: &str = "identity.agekey";
/// The statement key in PEM.
pub const STATEMENT_KEY_ENTRY: &str = "statement.key";
/// The signed statements about this key.
pub const STATEMENTS_ENTRY: &str = "statements.json";

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// Files are wrapped to it.
    Active,
    /// It opens files that were wrapped to it earlier.
    DecryptOnly,
    /// It is not used any more.
    Revoked,
}

impl KeyState {
    /// The value of the label.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::DecryptOnly => "decrypt-only",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the value of the label.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Active, Self::DecryptOnly, Self::Revoked].into_iter().find(|state| state.word() == word)
    }
}

/// The kind of a new key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyType {
    /// X25519: short recipients that every age knows.
    #[default]
    X25519,
    /// ML-KEM-768 with X25519: recipients of 2 KB that age 1.3 and sops 3.12 know.
    Hybrid,
}

/// One key of the cluster. `Debug` shows its public parts.
pub struct KeyRecord {
    /// Name of its Secret.
    pub name: String,
    /// What it may be used for.
    pub state: KeyState,
    /// When it was made.
    pub created: Timestamp,
    /// Its recipient.
    pub recipient: String,
    /// A person wants it revoked.
    pub revoke: bool,
    /// Since when no resource needs it.
    pub idle_since: Option<Timestamp>,
    /// The statements about it, oldest first. Keys that were brought along have none.
    pub statements: Vec<Statement>,
    /// The Secret's uid; empty before it is written.
    pub uid: String,
    /// The Secret's resource version; empty before it is written.
    pub resource_version: String,
    pub(super) identity: SecretString,
    pub(super) signing: Option<StatementKey>,
}

/// A Secret that bears the key label and holds no key that can be read. Says where, never what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Secret {name}: {why}")]
pub struct RecordError {
    /// The Secret.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

impl KeyRecord {
    /// A new active key about which nothing was said yet.
    pub(super) fn generate(prefix: &str, key_type: KeyType, now: Timestamp, random: &mut dyn Random) -> Self {
        let (identity, recipient) = match key_type {
            KeyType::X25519 => keys::generate_x25519(random),
            KeyType::Hybrid => keys::generate_hybrid(random),
        };
        let mut tail = [0; 3];
        random.fill(&mut tail);
        let date: String = now.to_string().chars().take(10).filter(char::is_ascii_digit).collect();
        Self {
            name: format!("{prefix}-key-{date}-{}", hex(&tail)),
            state: KeyState::Active,
            created: now,
            recipient,
            revoke: false,
            idle_since: None,
            statements: Vec::new(),
            uid: String::new(),
            resource_version: String::new(),
            identity,
            signing: None,
        }
    }

    /// Reads a Secret that bears the key label.
    ///
    /// # Errors
    /// Naming the Secret, when its state is unknown or it does not hold what a key of that state needs.
    pub fn of(secret: &LiveSecret) -> Result<Self, RecordError> {
        let fault = |why: &str| RecordError { name: secret.name.clone(), why: why.to_owned() };
        let state = secret.labels.get(KEY_LABEL).ok_or_else(|| fault("bears no key label"))?;
        let state = KeyState::parse(state).ok_or_else(|| fault("its key label is not one of the known states"))?;
        let data = secret.data.as_ref().ok_or_else(|| fault("was read without its values"))?;
        let (identity, recipient) = identity(data).map_err(|why| fault(&why))?;
        let signing = data.get(STATEMENT_KEY_ENTRY).map(|pem| {
            StatementKey::from_pem(pem).ok_or_else(|| fault("the entry statement.key is not an Ed25519 key in PEM"))
        });
        let statements = data.get(STATEMENTS_ENTRY).map(|json| {
            serde_json::from_slice(json.expose()).map_err(|_| fault("the entry statements.json cannot be read"))
        });
        let statements: Vec<Statement> = statements.transpose()?.unwrap_or_default();
        let created = match secret.annotations.get(CREATED_ANNOTATION) {
            Some(text) => Some(Timestamp::parse(text).ok_or_else(|| fault("its created annotation is not a time"))?),
            // One that was brought is as old as its Secret, for all we know.
            None => statements.first().and_then(Statement::created).or(secret.created),
        };
        let record = Self {
            name: secret.name.clone(),
            state,
            created: created.unwrap_or(Timestamp(0)),
            recipient,
            revoke: secret.annotations.get(REVOKE_ANNOTATION).is_some_and(|text| text == "true"),
            idle_since: secret.annotations.get(IDLE_ANNOTATION).and_then(|text| Timestamp::parse(text)),
            statements,
            uid: secret.uid.clone(),
            resource_version: secret.resource_version.clone(),
            identity,
            signing: signing.transpose()?,
        };
        record.check().map_err(fault)?;
        Ok(record)
    }

    /// An active key must be able to speak.
    fn check(&self) -> Result<(), &'static str> {
        if self.statements.iter().any(|statement| statement.recipient != self.recipient) {
            return Err("its statements are about another key");
        }
        if self.state == KeyState::Active && self.signing.is_none() {
            return Err("is active and has no statement key");
        }
        Ok(())
    }

    /// Number of its newest statement; 0 without any.
    pub fn number(&self) -> u32 {
        self.statements.last().map_or(0, |statement| statement.number)
    }

    /// Whether it is a post-quantum key.
    pub fn is_hybrid(&self) -> bool {
        self.recipient.starts_with("age1pq1")
    }

    /// Last 8 characters of the recipient: how status and columns name the key.
    pub fn id(&self) -> &str {
        self.recipient.get(self.recipient.len().saturating_sub(8)..).unwrap_or_default()
    }

    /// The public half of the key that signs its statements.
    pub fn statement_key(&self) -> Option<String> {
        self.signing.as_ref().map(StatementKey::public)
    }

    /// The identity, to open files with.
    ///
    /// # Errors
    /// Never for a record that was read or made here.
    pub fn identity(&self) -> Result<Box<dyn keys::Identity>, keys::KeyError> {
        keys::parse_identity(self.identity.expose(), &Access::none())
    }

    /// The whole Secret, as it is made or restored.
    pub fn to_secret(&self, namespace: &str) -> DesiredSecret {
        let mut data = BTreeMap::new();
        let file = format!("# created: {}\n# public key: {}\n", self.created, self.recipient);
        let file = zeroize::Zeroizing::new(file + self.identity.expose() + "\n");
        data.insert(IDENTITY_ENTRY.to_owned(), SecretBytes::from(file.as_str()));
        if let Some(key) = &self.signing {
            data.insert(STATEMENT_KEY_ENTRY.to_owned(), key.to_pem());
            data.insert(STATEMENTS_ENTRY.to_owned(), SecretBytes::from(self.statements_json()));
        }
        let mut annotations = BTreeMap::from([(CREATED_ANNOTATION.to_owned(), self.created.to_string())]);
        if self.number() > 0 {
            annotations.insert(NUMBER_ANNOTATION.to_owned(), self.number().to_string());
        }
        DesiredSecret {
            namespace: namespace.to_owned(),
            name: self.name.clone(),
            type_: OPAQUE.to_owned(),
            labels: BTreeMap::from([(KEY_LABEL.to_owned(), self.state.word().to_owned())]),
            annotations,
            data,
            ..DesiredSecret::default()
        }
    }

    /// The entry `statements.json`.
    pub(super) fn statements_json(&self) -> String {
        serde_json::to_string(&self.statements).expect("structs of strings are always JSON")
    }
}

impl std::fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = self.number();
        write!(f, "KeyRecord({}, {}, number {number}, {})", self.name, self.state.word(), self.recipient)
    }
}

/// The one identity of a Secret: under our entry, else under the only one that ends in `.agekey`, else under the only one
/// that looks like a key file.
fn identity(data: &BTreeMap<String, SecretBytes>) -> Result<(SecretString, String), String> {
    let only = |is: &dyn Fn(&str, &SecretBytes) -> bool| {
        let mut found = data.iter().filter(|(name, value)| is(name, value)).map(|(name, _)| name.as_str());
        (found.next(), found.next().is_some())
    };
    let ends = only(&|name, _| name.ends_with(".agekey"));
    let looks =
        only(&|_, value| value.expose_str().is_some_and(|text| text.lines().any(|line| is_identity(line.trim()))));
    let entry = match (data.contains_key(IDENTITY_ENTRY), ends, looks) {
        (true, ..) => IDENTITY_ENTRY,
        (_, (Some(one), false), _) | (_, (None, _), (Some(one), false)) => one,
        (_, (None, _), (None, _)) => return Err(format!("has no entry {IDENTITY_ENTRY}")),
        _ => return Err("has more than one entry with identities".to_owned()),
    };
    let bytes = &data[entry];
    let found = parse_key_file(bytes.expose(), entry, &Access::none());
    let found = found.map_err(|error| format!("the entry {entry}: {error}"))?;
    let [identity] = found.as_slice() else {
        return Err(format!("the entry {entry} holds {} identities instead of one", found.len()));
    };
    let recipient = identity.recipient().ok_or_else(|| format!("the entry {entry} holds no plain age identity"))?;
    let line = bytes.expose_str().and_then(|text| text.lines().map(str::trim).find(|line| is_identity(line)));
    let line = line.ok_or_else(|| format!("the entry {entry} holds no plain age identity"))?;
    Ok((SecretString::new(line.to_owned()), recipient))
}

fn is_identity(line: &str) -> bool {
    line.starts_with("AGE-SECRET-KEY-")
}
