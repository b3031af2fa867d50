//! What a cluster says about its recipient, signed: an age key cannot sign, so each cluster has an Ed25519 key beside
//! it. Statements form a chain, so that a recipient that was swapped, forked or rolled back is seen.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sops::Timestamp;

use super::signing::{StatementKey, verify};
use crate::binding::{canonical, hex};

/// What the signed bytes begin with: a signature made for anything else is none of a statement.
const CONTEXT: &str = "plomb.dev/statement/v1\n";
/// Most statements of one chain; the oldest are left out when there are more.
pub const MAX_STATEMENTS: usize = 256;

/// Which cluster speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// The name that people gave it.
    pub name: String,
    /// The uid of its namespace `kube-system`.
    pub uid: String,
}

/// One signed statement: "from now on, files for this cluster are wrapped to this recipient".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    /// Name of the cluster.
    pub cluster: String,
    /// The uid of the cluster's namespace `kube-system`.
    pub cluster_uid: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// Its number in the chain, from 1.
    pub number: u32,
    /// Digest of the statement before it: `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The age recipient.
    pub recipient: String,
    /// The key that signs: `ed25519:…` in base64.
    pub statement_key: String,
    /// Signature by the statement key of the statement before, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endorsement: Option<String>,
    /// Signature by the statement key.
    pub signature: String,
}

/// Why statements are not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// There is no statement at all.
    #[error("there is no statement")]
    Empty,
    /// More than anybody needs.
    #[error("there are more than {MAX_STATEMENTS} statements")]
    TooMany,
    /// A field is not of its form.
    #[error("statement {number}: {field} is not of its form")]
    Malformed {
        /// The statement's number.
        number: u32,
        /// The field.
        field: &'static str,
    },
    /// The signature does not fit.
    #[error("statement {0}: its signature does not fit")]
    BadSignature(u32),
    /// A new statement key that the old one did not sign.
    #[error("statement {number}: it is signed by a new statement key, {key}, which the old one did not endorse")]
    Unendorsed {
        /// The statement's number.
        number: u32,
        /// Fingerprint of the new key.
        key: String,
    },
    /// A statement does not follow from the one before.
    #[error("statement {0} does not follow from the one before: something was left out or put in")]
    BrokenChain(u32),
    /// It speaks for another cluster.
    #[error("the statements are those of cluster {found}, not of {wanted}")]
    AnotherCluster {
        /// Name and uid that were expected.
        wanted: String,
        /// Name and uid that were found.
        found: String,
    },
    /// The statement key changed since it was pinned.
    #[error(
        "the statement key changed from {pinned} to {found}, {}",
        if *.endorsed { "endorsed by the old one" } else { "and the old one did not endorse it" }
    )]
    AnotherKey {
        /// Fingerprint of the pinned key.
        pinned: String,
        /// Fingerprint of the key that signs now.
        found: String,
        /// Whether the old key signed the new one.
        endorsed: bool,
    },
    /// Two statements have the same number.
    #[error("there are two different statements {0}: one of them was not made by the cluster's controller")]
    Fork(u32),
    /// The newest statement is older than the one that is known.
    #[error("the newest statement is {found}, and {pinned} is known already: an old state was put back")]
    Rollback {
        /// Number that is known.
        pinned: u32,
        /// Number that was found.
        found: u32,
    },
}

impl Statement {
    /// Makes and signs a statement. `before` is the newest statement so far, with the key that signed it where that
    /// is another one than `key` and at hand.
    pub fn make(
        cluster: &Cluster,
        recipient: &str,
        before: Option<&Self>,
        (key, old_key): (&StatementKey, Option<&StatementKey>),
        now: Timestamp,
    ) -> Self {
        let mut statement = Self {
            cluster: cluster.name.clone(),
            cluster_uid: cluster.uid.clone(),
            created: now.to_string(),
            number: before.map_or(0, |before| before.number).saturating_add(1),
            previous: before.map(Self::digest),
            recipient: recipient.to_owned(),
            statement_key: key.public(),
            endorsement: None,
            signature: String::new(),
        };
        let text = statement.signed_text();
        statement.signature = key.sign(&text);
        let changed = before.is_some_and(|before| before.statement_key != statement.statement_key);
        statement.endorsement = old_key.filter(|_| changed).map(|old| old.sign(&text));
        statement
    }

    /// What is signed: the statement in RFC 8785 form without its signatures, behind a word that says what it is.
    fn signed_text(&self) -> String {
        let bare = Self { endorsement: None, signature: String::new(), ..self.clone() };
        let mut bare = serde_json::to_value(bare).expect("a struct of strings is always JSON");
        bare.as_object_mut().expect("a struct is an object").remove("signature");
        let mut text = CONTEXT.to_owned();
        canonical(&bare, &mut text);
        text
    }

    /// Its digest, `sha256:…`: signatures do not count, since one statement has many.
    pub fn digest(&self) -> String {
        format!("sha256:{}", hex(&Sha256::digest(self.signed_text().as_bytes())))
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.created)
    }

    /// Fingerprint of the key that signs it: `SHA256:…`, which people pin and read to each other.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.statement_key)
    }

    /// Whether it says of itself what is signed, in the right form.
    ///
    /// # Errors
    /// [`ChainFault::Malformed`], [`ChainFault::BadSignature`].
    pub fn check(&self) -> Result<(), ChainFault> {
        let malformed = |field| ChainFault::Malformed { number: self.number, field };
        let is_name = |text: &str| (1..=253).contains(&text.len()) && !text.contains(char::is_control);
        if !is_name(&self.cluster) {
            return Err(malformed("cluster"));
        }
        if !is_name(&self.cluster_uid) {
            return Err(malformed("clusterUid"));
        }
        if self.number == 0 || (self.number == 1 && self.previous.is_some()) {
            return Err(malformed("number"));
        }
        self.created().ok_or_else(|| malformed("created"))?;
        keys::parse_recipient(&self.recipient).map_err(|_| malformed("recipient"))?;
        let fits = verify(&self.statement_key, &self.signed_text(), &self.signature);
        if fits { Ok(()) } else { Err(ChainFault::BadSignature(self.number)) }
    }

    /// Whether it follows from `before`. Both were checked by themselves.
    ///
    /// # Errors
    /// [`ChainFault::Rollback`], [`ChainFault::Fork`], [`ChainFault::BrokenChain`], [`ChainFault::Unendorsed`].
    pub fn check_after(&self, before: &Self) -> Result<(), ChainFault> {
        if self.number < before.number {
            return Err(ChainFault::Rollback { pinned: before.number, found: self.number });
        }
        if self.number == before.number {
            return Err(ChainFault::Fork(self.number));
        }
        if Some(self.number) != before.number.checked_add(1) || self.previous.as_ref() != Some(&before.digest()) {
            return Err(ChainFault::BrokenChain(self.number));
        }
        if self.statement_key == before.statement_key || self.is_endorsed_by(&before.statement_key) {
            return Ok(());
        }
        Err(ChainFault::Unendorsed { number: self.number, key: self.fingerprint() })
    }

    /// Whether the owner of `key` signed it too.
    pub fn is_endorsed_by(&self, key: &str) -> bool {
        self.endorsement.as_ref().is_some_and(|signature| verify(key, &self.signed_text(), signature))
    }
}

/// `SHA256:…` of a statement key's public half.
pub fn fingerprint(statement_key: &str) -> String {
    let raw = statement_key.strip_prefix("ed25519:").and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(raw)))
}
