//! A secret that was found: which rule, where, how sure; and its text only as far as the caller asked for it.

use std::fmt;
use std::sync::Arc;

use bstr::BString;

/// How bad it is if the finding is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Hardly usable by itself: an encrypted key, a hash.
    Low,
    /// Of limited use, or semi-public.
    Medium,
    /// Gives access.
    High,
    /// Gives wide access: a cloud key, a private key of many uses.
    Critical,
}

/// How sure the rule is that this is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess; not reported by default.
    Low,
    /// A shape or a name that seldom misleads.
    Medium,
    /// A format with its own prefix, checksum or structure.
    High,
}

/// Where a match lies in its file. Lines count from 1; columns count code points from 1, both ends inclusive.
/// Everything is 0 for a finding that is about the file itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First line.
    pub start_line: usize,
    /// Last line.
    pub end_line: usize,
    /// Column of the first character, in code points.
    pub start_column: usize,
    /// Column of the last character, in code points.
    pub end_column: usize,
    /// Column of the first byte, in bytes (what gitleaks counts, before its shift by one).
    pub start_byte_column: usize,
    /// Column of the last byte, in bytes.
    pub end_byte_column: usize,
}

/// The commit that brought a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Object id, hexadecimal.
    pub id: String,
    /// Author's name.
    pub author: String,
    /// Author's address.
    pub email: String,
    /// Author's date, RFC 3339, UTC.
    pub date: String,
    /// Subject, blank line, body.
    pub message: String,
}

/// What kind of place a content stands at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// A file of a folder.
    #[default]
    File,
    /// The index: what will be committed.
    Index,
    /// A stream without a name.
    Stream,
    /// A file as a commit brought it.
    Commit(Arc<Commit>),
    /// The message of a commit, tag or note; `path` of the origin is empty.
    Message(Arc<Commit>),
}

/// Whether what history brought is still in the tip of any ref.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Not asked.
    #[default]
    Unknown,
    /// Some ref's tip still holds it at this path.
    Present,
    /// Only history holds it.
    Removed,
}

/// Where a content stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path as reports show it; `outer!inner` inside archives; empty for a stream.
    pub path: BString,
    /// The link through which the file was reached, if one was.
    pub symlink: Option<BString>,
    /// Kind of place.
    pub place: Place,
    /// Still there?
    pub presence: Presence,
}

impl Origin {
    /// The commit, if the place has one.
    pub fn commit(&self) -> Option<&Arc<Commit>> {
        match &self.place {
            Place::Commit(commit) | Place::Message(commit) => Some(commit),
            Place::File | Place::Index | Place::Stream => None,
        }
    }
}

/// How a finding was uncovered from an encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Encodings, outermost first: `base64`, `hex`, `percent`, `unicode`, …
    pub kinds: Vec<&'static str>,
    /// How many passes it took.
    pub depth: usize,
}

/// Another rule's match that a composite rule needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its rule.
    pub rule: Arc<str>,
    /// Its place.
    pub span: Span,
    /// Its secret, redacted as the finding's own.
    pub secret: Shown,
}

/// Text of a finding as it may be shown: redacted unless the caller asked for more.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Shown(String);

impl Shown {
    /// Wraps text that has passed redaction.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for reports.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({} bytes)", self.0.len())
    }
}

/// One secret in one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Id of the rule, kebab-case.
    pub rule: Arc<str>,
    /// The rule's description: one sentence.
    pub description: Arc<str>,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// The rule's tags, and `decoded:…`, `decode-depth:…`.
    pub tags: Vec<String>,
    /// Where the content stands.
    pub origin: Origin,
    /// Where in the content.
    pub span: Span,
    /// First line of the run of new lines that the finding begins in: 1 where all are new.
    pub run_start: usize,
    /// The whole match, as far as it may be shown.
    pub matched: Shown,
    /// The secret alone, as far as it may be shown.
    pub secret: Shown,
    /// The lines that the match stands on, as far as they may be shown.
    pub line: Shown,
    /// Shannon entropy of the secret, bits per character (0 for a finding about a file).
    pub entropy: f32,
    /// What it was decoded from.
    pub decoded: Option<Decoded>,
    /// The other parts of a composite finding.
    pub components: Vec<Component>,
    /// SHA-256 over rule id, a zero byte, and the secret's bytes: never shown, the seed of our own fingerprints.
    pub digest: Digest,
}

/// A digest that is not shown: short secrets could be guessed from it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

impl Finding {
    /// gitleaks' fingerprint: `commit:file:rule:line`, without the commit where there is none.
    pub fn gitleaks_fingerprint(&self) -> String {
        let place = format!("{}:{}:{}", self.origin.path, self.rule, self.span.start_line);
        match self.origin.commit() {
            Some(commit) => format!("{}:{place}", commit.id),
            None => place,
        }
    }

    /// What reports are sorted by: path, line, column, rule, commit.
    pub fn order(&self) -> impl Ord + '_ {
        let commit = self.origin.commit().map(|commit| (&commit.date, &commit.id));
        (&self.origin.path, self.span, &self.rule, commit)
    }
}
