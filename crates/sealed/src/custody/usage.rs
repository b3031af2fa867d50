//! Which key is still needed by what.

use std::collections::{BTreeMap, BTreeSet};

use keys::same_recipient;

use super::published::Published;
use super::record::{KeyRecord, KeyState};

/// So many names are kept for messages; counts are exact.
const NAMES: usize = 20;

/// What the sealed resources of the cluster say about the keys. Made from all of them, or not at all: a key that only
/// seems unused would be given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// By recipient of a key here: resources that list it and not the active key.
    used_by: BTreeMap<String, usize>,
    /// By recipient of a key here: resources that no other key here opens.
    only: BTreeMap<String, Named>,
    /// Resources that no key here opens, not even a revoked one.
    unknown: Named,
    /// By recipient of a key that was here once: resources among those that list it.
    missed: BTreeMap<String, Named>,
}

/// A count, and the first names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Vec<String>,
}

impl Named {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < NAMES {
            self.first.push(name.to_owned());
        }
    }
}

impl std::fmt::Display for Named {
    /// `a, b and 3 more`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.first.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        match self.count.saturating_sub(5) {
            0 => f.write_str(&shown),
            more => write!(f, "{shown} and {more} more"),
        }
    }
}

impl Usage {
    /// Counts `resources`: the name of each with the recipients that its file lists. Of keys that are gone, those count
    /// that `published` knows.
    pub fn of<'r, R: IntoIterator<Item = &'r str>>(
        records: &[KeyRecord],
        published: &Published,
        resources: impl IntoIterator<Item = (&'r str, R)>,
    ) -> Self {
        let mut usage = Self::default();
        let known: BTreeSet<&str> = published.keys().collect();
        for (name, recipients) in resources {
            let recipients: Vec<&str> = recipients.into_iter().collect();
            usage.add(records, &known, name, &recipients);
        }
        usage
    }

    fn add(&mut self, records: &[KeyRecord], known: &BTreeSet<&str>, name: &str, recipients: &[&str]) {
        let lists = |record: &&KeyRecord| recipients.iter().any(|listed| same_recipient(listed, &record.recipient));
        let own: Vec<&KeyRecord> = records.iter().filter(lists).collect();
        if own.is_empty() {
            self.unknown.add(name);
            let listed: BTreeSet<&str> = recipients.iter().map(|listed| listed.trim()).collect();
            for gone in listed.intersection(known) {
                self.missed.entry((*gone).to_owned()).or_default().add(name);
            }
            return;
        }
        let usable: Vec<_> = own.iter().filter(|record| record.state != KeyState::Revoked).collect();
        if let [only] = usable.as_slice() {
            self.only.entry(only.recipient.clone()).or_default().add(name);
        }
        let current = own.iter().any(|record| record.state == KeyState::Active);
        for record in own.iter().filter(|record| !current || record.state == KeyState::Active) {
            *self.used_by.entry(record.recipient.clone()).or_default() += 1;
        }
    }

    /// How many resources need the key: those that list it and are not wrapped to the active key as well; of the
    /// active key, those that list it.
    pub fn used_by(&self, recipient: &str) -> usize {
        self.used_by.get(recipient).copied().unwrap_or_default()
    }

    /// The resources that nobody here could open without this key.
    pub fn losers(&self, recipient: &str) -> Named {
        self.only.get(recipient).cloned().unwrap_or_default()
    }

    /// The resources that no key here opens.
    pub fn unknown(&self) -> &Named {
        &self.unknown
    }

    /// The resources that no key here opens and that list this recipient of a key that was here once.
    pub fn missed(&self, recipient: &str) -> Option<&Named> {
        self.missed.get(recipient)
    }
}
