//! Whether the rules say of a file, by its path and by what is in it, that it is to be encrypted; and how surely.

use document::{Branch, Document, Map};
use scan::Confidence;
use sops::Selector;

use crate::breach::RulePlace;
use crate::reach::{Asked, Reach, by_path};
use crate::rules::Cover;

/// Resources that point at secrets, or hold them encrypted by other means.
const POINTING: [&str; 11] = [
    "SealedSecret",
    "ExternalSecret",
    "ClusterExternalSecret",
    "PushSecret",
    "SecretStore",
    "ClusterSecretStore",
    "SecretProviderClass",
    "VaultStaticSecret",
    "VaultDynamicSecret",
    "OnePasswordItem",
    "BitwardenSecret",
];

/// Fields of a manifest that Kubernetes must read: never secrets, though a rule without a selector covers them.
const HEAD: [&str; 5] = ["apiVersion", "kind", "metadata", "type", "immutable"];

/// What one rule says of a file.
pub(crate) struct Claim {
    pub(crate) rule: RulePlace,
    pub(crate) selector: Selector,
    reach: Reach,
    asked: Asked,
}

impl Claim {
    /// What `cover` says of `path`; `None` if it does not mean the file.
    pub(crate) fn of(cover: &Cover<'_>, path: &[u8]) -> Option<Self> {
        let asked = by_path(cover.reach, path)?;
        Some(Self { rule: cover.place(), selector: cover.selector(), reach: cover.reach, asked })
    }

    /// How sure the path alone makes it.
    pub(crate) fn by_path(&self) -> Option<Confidence> {
        match self.asked {
            Asked::Yes(confidence) => Some(confidence),
            Asked::Content => None,
        }
    }

    /// How sure it is that this document is to be encrypted; `None` if it is not meant.
    pub(crate) fn weigh(&self, branch: &Branch) -> Option<Confidence> {
        let Some(kind) = manifest_kind(&branch.root) else {
            return self.by_path().or_else(|| self.marks_values().then_some(Confidence::Medium));
        };
        if POINTING.contains(&kind) {
            return None;
        }
        let is_secret = kind.ends_with("Secret");
        match (self.reach, self.asked) {
            (Reach::Named, Asked::Yes(confidence)) => Some(confidence),
            (Reach::Folder, Asked::Yes(confidence)) if is_secret => Some(confidence),
            (Reach::Folder, _) => Some(Confidence::Low),
            (Reach::Wide, Asked::Yes(confidence)) if is_secret => Some(confidence),
            (_, _) => is_secret.then_some(Confidence::Medium),
        }
    }

    /// Whether the rule's selector goes by marks that only who means secrets puts on values.
    fn marks_values(&self) -> bool {
        matches!(self.selector, Selector::EncryptedSuffix(_) | Selector::EncryptedCommentRegex(_))
    }
}

/// Per document, how sure it is that a claim means it.
pub(crate) fn weights(claim: &Claim, doc: &Document) -> Vec<Option<Confidence>> {
    doc.branches.iter().map(|branch| claim.weigh(branch)).collect()
}

/// Whether a top-level key of this document is part of a manifest's head.
pub(crate) fn is_head(branch: &Branch, key: &str) -> bool {
    HEAD.contains(&key) && manifest_kind(&branch.root).is_some()
}

fn manifest_kind(root: &Map) -> Option<&str> {
    let text = |key: &str| root.get(key).and_then(|node| node.value.as_str());
    text("apiVersion").and(text("kind"))
}

/// Whether a file is encrypted as a whole by something else than SOPS.
pub(crate) fn is_sealed_otherwise(bytes: &[u8]) -> bool {
    const STARTS: [&[u8]; 6] = [
        b"$ANSIBLE_VAULT;",
        b"\0GITCRYPT\0",
        b"age-encryption.org/v1\n",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        b"-----BEGIN PGP MESSAGE-----",
        b"version https://git-lfs.github.com/spec/",
    ];
    STARTS.iter().any(|start| bytes.starts_with(start))
}

/// Whether a text only stands for a value that something else puts in: `${NAME}`, `{{ .x }}`, `<path:…>`.
pub(crate) fn is_placeholder(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let between = |open: &[u8], close: &[u8]| text.starts_with(open) && text.ends_with(close);
    between(b"${", b"}") || between(b"{{", b"}}") || between(b"$(", b")") || between(b"<", b">")
}
