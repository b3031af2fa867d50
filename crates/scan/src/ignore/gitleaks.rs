//! `.gitleaksignore`: one gitleaks fingerprint per line.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice};

use super::{Malformed, entries};
use crate::finding::Finding;
use crate::report::fields::fingerprint;

/// What the file is called.
pub const FILE_NAME: &str = ".gitleaksignore";

/// A `.gitleaksignore`, read.
#[derive(Clone, Debug, Default)]
pub struct GitleaksIgnore {
    /// From a fingerprint to the index of its line.
    known: HashMap<Box<[u8]>, usize>,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    number: usize,
    text: Box<[u8]>,
    used: bool,
}

impl GitleaksIgnore {
    /// Reads entries `file:rule:line` (any commit) and `commit:file:rule:line`; `\` in them is `/` too. A path may hold
    /// colons, which gitleaks cannot read. Other lines hide nothing and are returned.
    pub fn parse(text: &[u8]) -> (Self, Vec<Malformed>) {
        let (mut ignore, mut malformed) = (Self::default(), Vec::new());
        for (number, line) in entries(text) {
            if !has_form(line) {
                malformed.push(Malformed { line: number, what: "an entry is [commit:]file:rule:line" });
                continue;
            }
            let index = ignore.lines.len();
            if line.contains(&b'\\') {
                ignore.known.entry(line.replace(b"\\", b"/").into()).or_insert(index);
            }
            ignore.known.entry(line.into()).or_insert(index);
            ignore.lines.push(Line { number, text: line.into(), used: false });
        }
        (ignore, malformed)
    }

    /// Whether an entry names this finding; remembers which.
    pub fn allows(&mut self, finding: &Finding) -> bool {
        let with_commit = fingerprint(finding);
        let without = finding.origin.commit().map_or(0, |commit| commit.id.len() + 1);
        let of_commit = self.known.get(with_commit.as_slice());
        let of_any = self.known.get(&with_commit[without..]);
        for index in [of_commit, of_any].into_iter().flatten() {
            self.lines[*index].used = true;
        }
        of_commit.or(of_any).is_some()
    }

    /// Entries that named no finding so far: line number and text.
    pub fn unused(&self) -> impl Iterator<Item = (usize, &BStr)> {
        self.lines.iter().filter(|line| !line.used).map(|line| (line.number, line.text.as_bstr()))
    }
}

/// At least three fields, and a number as the last one where a colon of the path could be meant.
fn has_form(line: &[u8]) -> bool {
    let colons = line.iter().filter(|byte| **byte == b':').count();
    let last = line.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    match colons {
        2 | 3 => true,
        4.. => !last.is_empty() && last.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{committed, finding};

    fn allows(text: &str, finding: &Finding) -> bool {
        GitleaksIgnore::parse(text.as_bytes()).0.allows(finding)
    }

    #[test]
    fn three_fields_name_every_commit_and_four_name_one() {
        let (file, commit) = (finding("r", "a/b.txt", 3), committed("r", "a/b.txt", 3));
        let id = commit.origin.commit().unwrap().id.clone();
        assert!(allows("# x\n\n  a/b.txt:r:3  \r\n", &file));
        assert!(allows("a/b.txt:r:3", &commit));
        assert!(allows(&format!("{id}:a\\b.txt:r:3"), &commit));
        assert!(!allows(&format!("{id}:a/b.txt:r:3"), &file));
        assert!(!allows("a/b.txt:r:4\na/b.txt:q:3\nb.txt:r:3\na/b.txt:r:3 # why", &file));
        assert!(allows("c:\\x:a.txt:r:3", &finding("r", "c:\\x:a.txt", 3)));
        assert!(allows("c:/x:a.txt:r:3", &finding("r", "c:/x:a.txt", 3)));
    }

    #[test]
    fn odd_lines_are_told_and_stale_ones_remembered() {
        let (mut ignore, malformed) = GitleaksIgnore::parse(b"\xef\xbb\xbfa:r:1\nnonsense\na:b\nb:r:2\nx:y:z:r:n\n");
        assert_eq!(malformed.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 3, 5]);
        assert!(ignore.allows(&finding("r", "a", 1)));
        assert_eq!(ignore.unused().collect::<Vec<_>>(), [(4, BStr::new("b:r:2"))]);
    }

    #[test]
    fn a_huge_file_is_read_in_one_pass() {
        let text: String =
            (0..300_000).map(|line| format!("some/quite/long/path/of/a/file.txt:rule-id:{line}\n")).collect();
        let (mut ignore, malformed) = GitleaksIgnore::parse(text.as_bytes());
        assert!(
            malformed.is_empty() && ignore.allows(&finding("rule-id", "some/quite/long/path/of/a/file.txt", 299_999))
        );
        let (_, malformed) = GitleaksIgnore::parse(":".repeat(5_000_000).as_bytes());
        assert_eq!(malformed.len(), 1);
    }
}
