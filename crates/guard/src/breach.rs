//! What is wrong with a file or with the rules, where, and what to do about it. Never what a value is.

use std::fmt;
use std::sync::Arc;

use bstr::BString;
use document::{Path, Step};
use scan::{Confidence, Finding, Origin, Severity, Span, finding};
use sha2::{Digest as _, Sha256};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A rule says that the file is encrypted; it is not.
    NotEncrypted,
    /// A value that must be encrypted stands in clear.
    ValueInClear,
    /// The file was encrypted, or still holds tokens, and has no `sops` block.
    MetadataStripped,
    /// The `sops` block cannot be used.
    MetadataBroken,
    /// A wrapped data key that nobody can open.
    KeyEntryBroken,
    /// A token that no key can open.
    TokenBroken,
    /// A token that was made for another place.
    TokenMoved,
    /// Values changed and the MAC did not.
    MacStale,
    /// The MAC does not fit, said by an identity.
    MacMismatch,
    /// A value does not decrypt, said by an identity.
    ValueUnauthentic,
    /// A merge was left unresolved.
    MergeMarker,
    /// Someone can read the file whom the rule does not name.
    RecipientUnlisted,
    /// Someone whom the rule names cannot read the file.
    RecipientMissing,
    /// Key groups or threshold are not those of the rule.
    GroupDrift,
    /// The selector is not that of the rule.
    SelectorDrift,
    /// A decrypted copy lies beside its encrypted file.
    DecryptedTwin,
    /// A file that must be encrypted does not read in its format.
    Unreadable,
    /// A rule covers the file, and its selector finds nothing in it.
    NothingSelected,
    /// The file is older than the one it replaces.
    RolledBack,
    /// A change of the rules leaves tracked files, or values in them, uncovered.
    RuleNarrowed,
    /// A change of the rules lets someone else read.
    RuleRecipientAdded,
    /// `.sops.yaml` is wrong.
    RulesBroken,
    /// `.sops.yaml` is gone.
    RulesDeleted,
    /// A private key stands where a recipient belongs.
    IdentityAsRecipient,
    /// An EncryptedSecret does not say where it belongs.
    BindingMissing,
}

/// One row per kind: id, how bad, and one sentence for lists of rules.
const TABLE: [(Kind, &str, Severity, &str); 25] = [
    (
        Kind::NotEncrypted,
        "sops-not-encrypted",
        Severity::High,
        "A creation rule covers the file and it is not encrypted.",
    ),
    (Kind::ValueInClear, "sops-value-in-clear", Severity::High, "A value that must be encrypted stands in clear."),
    (
        Kind::MetadataStripped,
        "sops-metadata-stripped",
        Severity::High,
        "The sops block of an encrypted file was removed.",
    ),
    (Kind::MetadataBroken, "sops-metadata-broken", Severity::Medium, "The sops block cannot be used."),
    (Kind::KeyEntryBroken, "sops-key-entry-broken", Severity::Medium, "A wrapped data key cannot be opened by anyone."),
    (Kind::TokenBroken, "sops-token-broken", Severity::Medium, "An ENC[…] token cannot be opened by any key."),
    (Kind::TokenMoved, "sops-token-moved", Severity::Medium, "An ENC[…] token was moved from another key."),
    (Kind::MacStale, "sops-mac-stale", Severity::Medium, "Values changed without a new MAC."),
    (Kind::MacMismatch, "sops-mac-mismatch", Severity::High, "The MAC does not fit the values."),
    (Kind::ValueUnauthentic, "sops-value-unauthentic", Severity::High, "A value does not decrypt at its place."),
    (
        Kind::MergeMarker,
        "sops-merge-marker",
        Severity::Medium,
        "A merge conflict is left in a file that must be encrypted.",
    ),
    (
        Kind::RecipientUnlisted,
        "sops-recipient-unlisted",
        Severity::High,
        "The file can be read by someone whom its rule does not name.",
    ),
    (
        Kind::RecipientMissing,
        "sops-recipient-missing",
        Severity::Low,
        "Someone whom the rule names cannot read the file.",
    ),
    (Kind::GroupDrift, "sops-group-drift", Severity::Medium, "Key groups or threshold differ from the rule."),
    (Kind::SelectorDrift, "sops-selector-drift", Severity::Low, "The file's selector differs from the rule's."),
    (Kind::DecryptedTwin, "sops-decrypted-twin", Severity::High, "A decrypted copy lies beside an encrypted file."),
    (
        Kind::Unreadable,
        "sops-unreadable",
        Severity::Medium,
        "A file that must be encrypted cannot be read in its format.",
    ),
    (
        Kind::NothingSelected,
        "sops-nothing-selected",
        Severity::Low,
        "A rule covers the file and selects nothing in it.",
    ),
    (Kind::RolledBack, "sops-rolled-back", Severity::Low, "The file is older than the one that it replaces."),
    (Kind::RuleNarrowed, "sops-rule-narrowed", Severity::High, "Creation rules protect less than before the change."),
    (Kind::RuleRecipientAdded, "sops-rule-recipient-added", Severity::Medium, "Creation rules name a new recipient."),
    (Kind::RulesBroken, "sops-rules-broken", Severity::Medium, ".sops.yaml is wrong."),
    (Kind::RulesDeleted, "sops-rules-deleted", Severity::High, ".sops.yaml was removed."),
    (
        Kind::IdentityAsRecipient,
        "sops-identity-as-recipient",
        Severity::Critical,
        "A private key stands in .sops.yaml.",
    ),
    (
        Kind::BindingMissing,
        "sealed-binding-missing",
        Severity::Medium,
        "An EncryptedSecret has no binding to its place.",
    ),
];

impl Kind {
    /// Every kind, for lists of rules.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, Severity, &'static str) {
        TABLE.iter().find(|row| row.0 == self).expect("every kind has its row: checked by a test")
    }

    /// The stable id, kebab-case.
    pub fn id(self) -> &'static str {
        self.row().1
    }

    /// How bad it is, unless the case says otherwise.
    pub fn severity(self) -> Severity {
        self.row().2
    }

    /// One sentence about all breaches of the kind.
    pub fn description(self) -> &'static str {
        self.row().3
    }
}

/// Where a creation rule stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RulePlace {
    /// The configuration's path.
    pub path: BString,
    /// Line of the rule, from 1.
    pub line: usize,
    /// Whether only the rules before the change have it.
    pub before: bool,
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)?;
        if self.before { f.write_str(" (as it was before the change)") } else { Ok(()) }
    }
}

/// A value of a file, by its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueAt {
    /// Document, from 0.
    pub document: usize,
    /// Path in it.
    pub path: Path,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// What.
    pub kind: Kind,
    /// The file.
    pub path: BString,
    /// The place in it; line and column are 1 where it is about the whole file.
    pub span: Span,
    /// The creation rule that is broken.
    pub rule: Option<RulePlace>,
    /// The document and key path of a value as messages show them, or what else tells this breach from others of its kind in the file.
    pub subject: String,
    /// The value that it is about, if it is about one.
    pub value: Option<ValueAt>,
    /// Digest of what stands in clear, if it is about that: an exception holds for these values, not for later ones.
    pub clear: Option<finding::Digest>,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to do, one phrase.
    pub next: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
}

impl Breach {
    /// A breach that is about the whole file.
    pub(crate) fn of_file(kind: Kind, path: &[u8], message: impl Into<String>) -> Self {
        Self {
            kind,
            path: path.into(),
            span: point(1, 1, 1),
            rule: None,
            subject: String::new(),
            value: None,
            clear: None,
            message: message.into(),
            next: String::new(),
            severity: kind.severity(),
            confidence: Confidence::High,
        }
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// At a line and column as parsers tell them.
    pub(crate) fn at_place(self, at: Option<(usize, usize)>) -> Self {
        let (line, column) = at.unwrap_or((1, 1));
        self.at(point(line, column, column))
    }

    pub(crate) fn by(mut self, rule: Option<RulePlace>) -> Self {
        self.rule = rule;
        self
    }

    pub(crate) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    pub(crate) fn on(mut self, document: usize, path: Path) -> Self {
        self.subject = format!("{document}{}", shown_path(&path));
        self.value = Some(ValueAt { document, path });
        self
    }

    pub(crate) fn holding(mut self, clear: finding::Digest) -> Self {
        self.clear = Some(clear);
        self
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    pub(crate) fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    pub(crate) fn bad(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Line, from 1.
    pub fn line(&self) -> usize {
        self.span.start_line
    }

    /// Column in code points, from 1.
    pub fn column(&self) -> usize {
        self.span.start_column
    }

    /// The breach as the scanner reports what it finds; `place` says what kind of place the file stands at. No text
    /// of the file is in it; its digest is made of rule id, path and subject, and of the values if it is about such in clear.
    pub fn finding(&self, place: scan::Place) -> Finding {
        let mut hash = Sha256::new();
        for part in [self.kind.id().as_bytes(), self.path.as_slice(), self.subject.as_bytes()] {
            hash.update(part);
            hash.update([0]);
        }
        if let Some(clear) = &self.clear {
            hash.update(clear.0);
        }
        let rule = self.rule.iter().map(|rule| format!("creation-rule:{}:{}", rule.path, rule.line));
        Finding {
            rule: Arc::from(self.kind.id()),
            description: Arc::from(self.message.as_str()),
            severity: self.severity,
            confidence: self.confidence,
            tags: ["sops".to_owned(), "guard".to_owned()].into_iter().chain(rule).collect(),
            origin: Origin { path: self.path.clone(), place, ..Origin::default() },
            span: self.span,
            run_start: 1,
            matched: finding::Shown::default(),
            secret: finding::Shown::default(),
            line: finding::Shown::default(),
            entropy: 0.0,
            decoded: None,
            components: Vec::new(),
            digest: finding::Digest(hash.finalize().into()),
        }
    }

    /// What reports are sorted by.
    pub(crate) fn order(&self) -> impl Ord + '_ {
        (&self.path, self.span, self.kind, &self.subject)
    }
}

/// A span of one character.
pub(crate) fn point(line: usize, column: usize, byte_column: usize) -> Span {
    Span {
        start_line: line,
        end_line: line,
        start_column: column,
        end_column: column,
        start_byte_column: byte_column,
        end_byte_column: byte_column,
    }
}

/// A key path for messages: keys that are longer than names are (a line of a key file that was taken for one) are
/// cut, control characters replaced.
pub(crate) fn shown_path(path: &Path) -> String {
    const LONGEST: usize = 40;
    let cut = |step: &Step| match step {
        Step::Key(key) if key.chars().count() > LONGEST => {
            let head: String = key.chars().take(8).collect();
            Step::Key(format!("{head}…").into())
        }
        other => other.clone(),
    };
    Path(path.0.iter().map(cut).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_its_ids_are_unique_kebab_case() {
        let ids: std::collections::BTreeSet<&str> = Kind::all().map(Kind::id).collect();
        assert_eq!(ids.len(), TABLE.len());
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
        assert_eq!(Kind::BindingMissing as usize + 1, TABLE.len(), "a kind has no row");
        assert!(Kind::all().all(|kind| kind.description().ends_with('.')));
    }

    #[test]
    fn long_keys_are_cut() {
        let path = Path(vec![Step::Key("k".repeat(64).into()), Step::Index(3), Step::Key("a".into())]);
        assert_eq!(shown_path(&path), "[\"kkkkkkkk…\"][3][\"a\"]");
    }
}
