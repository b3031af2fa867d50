//! All identities at hand, with where each came from, so that "no key fits" can say what was tried.

use std::fmt;
use std::sync::OnceLock;

use secret::SecretBytes;

use crate::{Identity, KeyError, WrappedKey, same_recipient, short_recipient};

/// All identities at hand.
#[derive(Default)]
pub struct Keyring {
    entries: Vec<Entry>,
    failed: Vec<FailedSource>,
}

struct Entry {
    identity: Box<dyn Identity>,
    /// Its recipient, kept because it takes long to work out, and worked out only when somebody asks.
    recipient: OnceLock<Option<String>>,
    source: String,
}

impl Entry {
    fn recipient(&self) -> Option<&str> {
        self.recipient.get_or_init(|| self.identity.recipient()).as_deref()
    }
}

/// A place that should have held identities and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedSource {
    /// The place, as messages name it.
    pub source: String,
    /// What went wrong there.
    pub why: String,
}

impl Keyring {
    /// An empty ring.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an identity. `source` is where it came from, as messages name it. Identities that need a passphrase or
    /// a plugin are asked after the others, whatever the order of adding.
    pub fn add(&mut self, identity: Box<dyn Identity>, source: impl Into<String>) {
        let at = self.entries.partition_point(|entry| entry.identity.effort() <= identity.effort());
        self.entries.insert(at, Entry { identity, recipient: OnceLock::new(), source: source.into() });
    }

    /// Notes a source that could not be read; only worth a message if nothing opens a file.
    pub fn add_failed(&mut self, source: impl Into<String>, why: impl fmt::Display) {
        self.failed.push(FailedSource { source: source.into(), why: why.to_string() });
    }

    /// Number of identities.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no identity.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sources that could not be read.
    pub fn failed(&self) -> &[FailedSource] {
        &self.failed
    }

    /// The identities with where each came from, in the order in which they are asked.
    pub fn identities(&self) -> impl Iterator<Item = (&dyn Identity, &str)> {
        self.entries.iter().map(|entry| (entry.identity.as_ref(), entry.source.as_str()))
    }

    /// The recipients of the identities that can tell without asking.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(Entry::recipient)
    }

    /// Whether an identity surely belongs to `recipient`: a label's promise, to be proven by unwrapping.
    pub fn has_recipient(&self, recipient: &str) -> bool {
        self.recipients().any(|own| same_recipient(own, recipient))
    }

    /// Opens `enc` with the first identity that can.
    ///
    /// # Errors
    /// When none can: what happened with each.
    pub fn unwrap(&self, enc: &str) -> Result<SecretBytes, Unopened> {
        Self::unwrap_in_order(enc, self.entries.iter())
    }

    /// Opens `enc`, which is labelled as made for `recipient`. The label only says which identity is tried first:
    /// it may be wrong, so the others follow.
    ///
    /// # Errors
    /// As [`Self::unwrap`].
    pub fn unwrap_labelled(&self, enc: &str, recipient: &str) -> Result<SecretBytes, Unopened> {
        if self.entries.len() < 2 {
            return self.unwrap(enc);
        }
        let fits = |entry: &&Entry| entry.recipient().is_some_and(|own| same_recipient(own, recipient));
        let (first, rest): (Vec<_>, Vec<_>) = self.entries.iter().partition(fits);
        Self::unwrap_in_order(enc, first.into_iter().chain(rest))
    }

    fn unwrap_in_order<'e>(enc: &str, entries: impl Iterator<Item = &'e Entry>) -> Result<SecretBytes, Unopened> {
        let wrapped =
            WrappedKey::parse(enc).map_err(|error| Unopened { unreadable: Some(error), tried: Vec::new() })?;
        Self::open_in_order(&wrapped, entries)
    }

    /// Opens what is parsed already.
    pub(crate) fn open(&self, wrapped: &WrappedKey) -> Result<SecretBytes, Unopened> {
        Self::open_in_order(wrapped, self.entries.iter())
    }

    fn open_in_order<'e>(
        wrapped: &WrappedKey,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> Result<SecretBytes, Unopened> {
        let mut tried = Vec::new();
        for entry in entries {
            let outcome = match entry.identity.open(wrapped) {
                Some(Ok(key)) => return Ok(key),
                Some(Err(error)) => Outcome::Failed(error),
                None => Outcome::NotMine,
            };
            tried.push(Tried::new(entry, outcome));
        }
        Err(Unopened { unreadable: None, tried })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.iter().map(|entry| (entry.identity.kind(), &entry.source));
        f.debug_struct("Keyring").field("failed", &self.failed).field("entries", &entries.collect::<Vec<_>>()).finish()
    }
}

/// What one identity could do with a wrapped key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was not made for this identity.
    NotMine,
    /// It was, but could not be opened; or the identity itself could not be used.
    Failed(KeyError),
}

/// One identity that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Where the identity came from.
    pub source: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its recipient, shortened, where it is known.
    pub recipient: Option<String>,
    /// What happened.
    pub outcome: Outcome,
}

impl Tried {
    fn new(entry: &Entry, outcome: Outcome) -> Self {
        let recipient = entry.recipient().map(short_recipient);
        Self { source: entry.source.clone(), kind: entry.identity.kind(), recipient, outcome }
    }
}

/// Why no identity opened a wrapped key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unopened {
    /// The wrapped key itself cannot be read; then no identity was tried.
    pub unreadable: Option<KeyError>,
    /// What happened with each identity.
    pub tried: Vec<Tried>,
}

impl Unopened {
    /// The first reason other than "no key fits": the text is damaged, or an identity failed.
    pub fn damage(&self) -> Option<&KeyError> {
        let failed = self.tried.iter().find_map(|tried| match &tried.outcome {
            Outcome::Failed(error) => Some(error),
            Outcome::NotMine => None,
        });
        self.unreadable.as_ref().or(failed)
    }
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.damage(), self.tried.len()) {
            (Some(error), _) => error.fmt(f),
            (None, 0) => f.write_str("no identity at hand"),
            (None, 1) => f.write_str("the identity at hand does not fit"),
            (None, n) => write!(f, "none of the {n} identities at hand fits"),
        }
    }
}

impl std::error::Error for Unopened {}

#[cfg(test)]
mod tests;
