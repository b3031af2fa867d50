//! `.plomb-allow`: our own list of accepted findings, made to be reviewed and merged.
//!
//! One entry per line, sorted: `FINGERPRINT  [until=YYYY-MM-DD]  [reason …]`. Blank lines and lines that begin with `#`
//! are comments. Two branches that add entries rarely touch the same line.

mod edit;

use std::collections::HashMap;

use super::{Day, Malformed, entries};
use crate::fingerprint::is_fingerprint;

pub use edit::{add, add_all, remove};

/// What the file is called at the root of a repository.
pub const FILE_NAME: &str = ".plomb-allow";

/// An allow file, read.
#[derive(Clone, Debug, Default)]
pub struct Allow {
    entries: Vec<Entry>,
    /// From a fingerprint to the entry that holds longest.
    known: HashMap<String, usize>,
    used: Vec<bool>,
}

/// One accepted finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Line it stands on, from 1; 0 for one that is not in a file yet.
    pub line: usize,
    /// [`crate::Fingerprints::of`] the finding.
    pub fingerprint: String,
    /// The last day on which it holds; `None` = for ever.
    pub until: Option<Day>,
    /// Why it is accepted; may be empty.
    pub reason: String,
}

/// What an allow file says of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Unknown,
    /// Accepted.
    Allowed,
    /// It was accepted until a day that is over.
    Expired,
}

impl Allow {
    /// Reads a file. Lines that are no entries hide nothing and are returned.
    pub fn parse(text: &[u8]) -> (Self, Vec<Malformed>) {
        let (mut allow, mut malformed) = (Self::default(), Vec::new());
        for (line, text) in entries(text) {
            match entry(line, text) {
                Ok(entry) => allow.push(entry),
                Err(what) => malformed.push(Malformed { line, what }),
            }
        }
        allow.used = vec![false; allow.entries.len()];
        (allow, malformed)
    }

    fn push(&mut self, entry: Entry) {
        let index = self.entries.len();
        let holds = |until: Option<Day>| (until.is_none(), until);
        let best = self.known.entry(entry.fingerprint.clone()).or_insert(index);
        if *best != index && holds(self.entries[*best].until) < holds(entry.until) {
            *best = index;
        }
        self.entries.push(entry);
    }

    /// What is said of the finding with this fingerprint on this day; remembers that it was asked.
    pub fn judge(&mut self, fingerprint: &str, today: Day) -> Verdict {
        let Some(index) = self.known.get(fingerprint) else { return Verdict::Unknown };
        self.used[*index] = true;
        match self.entries[*index].until {
            Some(until) if until < today => Verdict::Expired,
            _ => Verdict::Allowed,
        }
    }

    /// All entries, in the order of their lines.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Entries that named no finding so far, and doubles of others: they can be removed.
    pub fn unused(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(entry, _)| entry)
    }

    /// Entries that named a finding and are over: the finding counts again.
    pub fn expired(&self, today: Day) -> impl Iterator<Item = &Entry> {
        let used = self.entries.iter().zip(&self.used).filter(|(_, used)| **used).map(|(entry, _)| entry);
        used.filter(move |entry| entry.until.is_some_and(|until| until < today))
    }
}

fn entry(line: usize, text: &[u8]) -> Result<Entry, &'static str> {
    if [&b"<<<<<<<"[..], b"=======", b">>>>>>>"].iter().any(|marker| text.starts_with(marker)) {
        return Err("a merge conflict was left here");
    }
    let text = std::str::from_utf8(text).map_err(|_| "not UTF-8")?;
    let (fingerprint, rest) = word(text);
    if !is_fingerprint(fingerprint) {
        return Err("an entry begins with a fingerprint, plomb:v1:RULE:PATH:HASH");
    }
    let (next, after) = word(rest);
    let (until, reason) = match next.strip_prefix("until=") {
        Some(day) => (Some(Day::parse(day).ok_or("until= wants a day, YYYY-MM-DD")?), after),
        None => (None, rest),
    };
    Ok(Entry { line, fingerprint: fingerprint.to_owned(), until, reason: reason.to_owned() })
}

/// The first word, and what follows it without blanks around.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(|character: char| character.is_ascii_whitespace()).unwrap_or((text, ""));
    (word, rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn entries_hold_until_their_day() {
        let text = b"# team x\nplomb:v1:r:a:00000001  until=2026-05-01  rotated on Friday\nplomb:v1:r:b:00000002\n";
        let (mut allow, malformed) = Allow::parse(text);
        assert!(malformed.is_empty());
        assert_eq!(allow.entries()[0].reason, "rotated on Friday");
        assert_eq!(allow.judge("plomb:v1:r:a:00000001", day("2026-05-01")), Verdict::Allowed);
        assert_eq!(allow.judge("plomb:v1:r:a:00000001", day("2026-05-02")), Verdict::Expired);
        assert_eq!(allow.judge("plomb:v1:r:c:00000001", day("2026-05-02")), Verdict::Unknown);
        assert_eq!(allow.unused().map(|entry| entry.line).collect::<Vec<_>>(), [3]);
        assert_eq!(allow.expired(day("2026-05-02")).map(|entry| entry.line).collect::<Vec<_>>(), [2]);
        assert_eq!(allow.expired(day("2026-05-01")).count(), 0);
    }

    #[test]
    fn the_longer_of_two_entries_counts() {
        let text = b"plomb:v1:r:a:00000001 until=2020-01-01\nplomb:v1:r:a:00000001 until=2030-01-01\n";
        assert_eq!(Allow::parse(text).0.judge("plomb:v1:r:a:00000001", day("2026-01-01")), Verdict::Allowed);
    }

    #[test]
    fn bad_lines_hide_nothing() {
        let text = b"plomb:v1:r:a:0000000x\nplomb:v1:r:a:00000001 until=soon\n<<<<<<< HEAD\n=======\n\xff\nword\n";
        let (allow, malformed) = Allow::parse(text);
        assert!(allow.entries().is_empty());
        assert_eq!(malformed.iter().map(|bad| bad.line).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    }
}
