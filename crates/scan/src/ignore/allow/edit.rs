//! Changes to an allow file that leave every other byte as it was.

use std::collections::BTreeMap;

use super::super::Malformed;
use super::{Allow, Entry};
use crate::fingerprint::is_fingerprint;

/// What a new file begins with.
const HEAD: &str =
    "# Findings that are accepted. One per line, sorted: fingerprint, until=YYYY-MM-DD if it shall end, reason.\n";

/// Adds one entry; see [`add_all`].
///
/// # Errors
/// The entry cannot be written as one line.
pub fn add(text: &[u8], entry: Entry) -> Result<Vec<u8>, Malformed> {
    add_all(text, vec![entry])
}

/// Adds entries at their sorted places. An entry whose fingerprint is there already gets the new day and reason, if the
/// new one has any; else its line stays. The file's own line ends are used.
///
/// # Errors
/// An entry cannot be written as one line: no fingerprint, or a line break in its reason. Its number (from 1) is given
/// as the line.
pub fn add_all(text: &[u8], new: Vec<Entry>) -> Result<Vec<u8>, Malformed> {
    let mut waiting = BTreeMap::new();
    for (index, entry) in new.into_iter().enumerate() {
        let bad = |what| Malformed { line: index + 1, what };
        if !is_fingerprint(&entry.fingerprint) {
            return Err(bad("not a fingerprint"));
        }
        if entry.reason.chars().any(char::is_control) || entry.reason.trim().starts_with("until=") {
            return Err(bad("a reason is one line and does not begin with until="));
        }
        waiting.insert(entry.fingerprint.clone(), entry);
    }
    let mut lines = Lines::split(text);
    for (index, old) in lines.known(text) {
        if let Some(entry) = waiting.remove(&old.fingerprint)
            && (entry.until.is_some() || !entry.reason.is_empty())
        {
            lines.replace(index, &entry);
        }
    }
    Ok(lines.with(text, waiting))
}

/// Drops the lines with these numbers (from 1).
pub fn remove(text: &[u8], lines: &[usize]) -> Vec<u8> {
    let wanted: std::collections::HashSet<usize> = lines.iter().copied().collect();
    let all = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    all.filter(|(index, _)| !wanted.contains(&(index + 1))).flat_map(|(_, line)| line).copied().collect()
}

struct Lines {
    lines: Vec<Vec<u8>>,
    end: &'static str,
}

impl Lines {
    fn split(text: &[u8]) -> Self {
        let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let end = if lines.first().is_some_and(|line| line.ends_with(b"\r\n")) { "\r\n" } else { "\n" };
        Self { lines, end }
    }

    /// The entries that stand in the text, with the indexes of their lines.
    fn known(&self, text: &[u8]) -> Vec<(usize, Entry)> {
        let (allow, _) = Allow::parse(text);
        allow.entries.into_iter().map(|entry| (entry.line - 1, entry)).collect()
    }

    fn replace(&mut self, index: usize, entry: &Entry) {
        let ended = self.lines[index].ends_with(b"\n");
        self.lines[index] = format!("{}{}", line(entry), if ended { self.end } else { "" }).into_bytes();
    }

    /// The text with new entries, each behind the entry that precedes the first greater one. Comments above an entry
    /// stay above it.
    fn with(mut self, text: &[u8], new: BTreeMap<String, Entry>) -> Vec<u8> {
        if new.is_empty() {
            return self.lines.concat();
        }
        if let Some(last) = self.lines.last_mut().filter(|last| !last.ends_with(b"\n")) {
            last.extend_from_slice(self.end.as_bytes());
        }
        if self.lines.is_empty() {
            self.lines.push(HEAD.as_bytes().to_vec());
        }
        let known = self.known(text);
        let mut greatest: Vec<&str> = Vec::with_capacity(known.len());
        for (_, entry) in &known {
            greatest.push(greatest.last().map_or(entry.fingerprint.as_str(), |last| (*last).max(&entry.fingerprint)));
        }
        let mut before: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for entry in new.values() {
            let at = match greatest.partition_point(|known| *known < entry.fingerprint.as_str()) {
                0 => known.first().map_or(self.lines.len(), |(index, _)| *index),
                behind => known[behind - 1].0 + 1,
            };
            before.entry(at).or_default().extend_from_slice(format!("{}{}", line(entry), self.end).as_bytes());
        }
        let mut out = Vec::with_capacity(text.len());
        for (index, line) in self.lines.iter().enumerate() {
            out.extend_from_slice(before.get(&index).map_or(&[], Vec::as_slice));
            out.extend_from_slice(line);
        }
        out.extend_from_slice(before.get(&self.lines.len()).map_or(&[], Vec::as_slice));
        out
    }
}

fn line(entry: &Entry) -> String {
    let until = entry.until.map_or_else(String::new, |until| format!("  until={until}"));
    let reason = entry.reason.trim();
    format!("{}{until}{}{reason}", entry.fingerprint, if reason.is_empty() { "" } else { "  " })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, reason: &str) -> Entry {
        Entry { fingerprint: format!("plomb:v1:r:{name}:00000000"), reason: reason.to_owned(), ..Entry::default() }
    }

    fn added(text: &str, new: Vec<Entry>) -> String {
        String::from_utf8(add_all(text.as_bytes(), new).unwrap()).unwrap()
    }

    #[test]
    fn an_entry_finds_its_place() {
        let text = "# head\n\n# why b\nplomb:v1:r:b:00000000  x\n# why d\nplomb:v1:r:d:00000000\n";
        let out = added(text, vec![entry("c", "new"), entry("e", ""), entry("a", "")]);
        assert_eq!(
            out,
            "# head\n\n# why b\nplomb:v1:r:a:00000000\nplomb:v1:r:b:00000000  x\nplomb:v1:r:c:00000000  new\n\
             # why d\nplomb:v1:r:d:00000000\nplomb:v1:r:e:00000000\n"
        );
        assert_eq!(added(&out, vec![entry("c", "")]), out);
        assert!(added(&out, vec![entry("c", "other")]).contains("c:00000000  other\n"));
    }

    #[test]
    fn line_ends_are_kept() {
        let out = added("# x\r\nplomb:v1:r:b:00000000", vec![entry("c", ""), entry("a", "")]);
        assert_eq!(out, "# x\r\nplomb:v1:r:a:00000000\r\nplomb:v1:r:b:00000000\r\nplomb:v1:r:c:00000000\r\n");
        assert_eq!(added("", vec![entry("c", "")]), format!("{HEAD}plomb:v1:r:c:00000000\n"));
        assert_eq!(added("junk", vec![]), "junk");
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert!(add(b"", entry("a", "two\nlines")).is_err());
        assert!(add(b"", entry("a", "until=x")).is_err());
        assert!(add(b"", Entry { fingerprint: "a:b:1".to_owned(), ..Entry::default() }).is_err());
    }

    #[test]
    fn removed_lines_go_alone() {
        assert_eq!(remove(b"a\nb\r\nc", &[2, 9]), b"a\nc");
    }
}
