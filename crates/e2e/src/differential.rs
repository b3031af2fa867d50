//! The same document through us and through the real sops, in both directions.

use crate::subject::{Subject, recipient};
use std::path::{Path, PathBuf};
use testkit::Outcome;

/// How one document fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Broken promises, each in one line without the document's text.
    pub problems: Vec<String>,
    /// Did sops refuse to encrypt it?
    pub refused: bool,
    /// Did sops encrypt it and then fail on its own file?
    pub sops_fails_itself: bool,
    /// Are all values the same, and only comments at other places? sops moves comments on its way through its own tree:
    /// out of an empty `{}`, into every copy of an aliased map.
    pub comments_differ: bool,
}

/// Both programs in one scratch world.
#[derive(Debug)]
pub struct Bench {
    subject: Subject,
    sops: PathBuf,
    recipient: String,
}

impl Bench {
    /// A world for many documents, one after the other.
    pub fn new(plomb: &Path, sops: &Path) -> Self {
        let subject = Subject::new("differential", plomb);
        Self { subject, sops: sops.to_path_buf(), recipient: recipient("k1") }
    }

    /// Judges one document; `name` ends as its format wants.
    pub fn judge(&self, name: &str, text: &[u8]) -> Verdict {
        self.subject.scratch.write(name, text);
        let theirs = self.sops(&["encrypt", "--age", &self.recipient, name]);
        let ours = self.subject.run(&["encrypt", "--age", &self.recipient, name]).run();
        let mut verdict = Verdict { refused: !theirs.ok(), ..Verdict::default() };
        if !ours.ok() {
            if theirs.ok() {
                verdict.problems.push(format!("we refuse it: {}", ours.errors().trim()));
            }
            return verdict;
        }
        let (their_name, our_name) = (format!("theirs-{name}"), format!("ours-{name}"));
        self.subject.scratch.write(&our_name, &ours.stdout);
        let read_by_sops = self.sops(&["decrypt", &our_name]);
        verdict.problems.extend(self.round_trip(&our_name, text));
        if theirs.ok() {
            self.subject.scratch.write(&their_name, &theirs.stdout);
            self.against_theirs(&their_name, &read_by_sops, &mut verdict);
        } else if !read_by_sops.ok() {
            verdict
                .problems
                .push(format!("sops refuses the plaintext, and our file: {}", read_by_sops.errors().trim()));
        }
        verdict
    }

    fn sops(&self, args: &[&str]) -> Outcome {
        self.subject.of(&self.sops, args).run()
    }

    fn round_trip(&self, our_name: &str, text: &[u8]) -> Option<String> {
        let back = self.subject.run(&["decrypt", our_name]).run();
        if !back.ok() {
            return Some(format!("we do not read our own file: {}", back.errors().trim()));
        }
        (back.stdout != text).then(|| format!("our round trip changes {}", first_difference(text, &back.stdout)))
    }

    fn against_theirs(&self, their_name: &str, read_by_sops: &Outcome, verdict: &mut Verdict) {
        let expected = self.sops(&["decrypt", their_name]);
        if !expected.ok() {
            verdict.sops_fails_itself = true;
            return;
        }
        if !read_by_sops.ok() {
            verdict.problems.push(format!("sops does not read our file: {}", read_by_sops.errors().trim()));
        } else if without_comments(&read_by_sops.stdout) == without_comments(&expected.stdout) {
            verdict.comments_differ = read_by_sops.stdout != expected.stdout;
        } else {
            let place = first_difference(&expected.stdout, &read_by_sops.stdout);
            verdict.problems.push(format!("sops reads our file differently from its own {place}"));
        }
        let read_by_us = self.subject.run(&["decrypt", their_name]).run();
        if !read_by_us.ok() {
            verdict.problems.push(format!("we do not read their file: {}", read_by_us.errors().trim()));
        } else if read_by_us.stdout != expected.stdout {
            let place = first_difference(&expected.stdout, &read_by_us.stdout);
            verdict.problems.push(format!("we print their file differently {place}"));
        }
    }
}

/// The text without the lines that are comments, and with `{}` and `[]` closed up again where only a comment was inside.
fn without_comments(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    for line in text.split_inclusive('\n').filter(|line| !line.trim_start().starts_with('#')) {
        let closes = matches!(line.trim(), "}" | "]");
        if closes && out.ends_with(['{', '[', '\n']) && out.trim_end().ends_with(['{', '[']) {
            out.truncate(out.trim_end().len());
            out.push_str(line.trim_start());
        } else {
            out.push_str(line);
        }
    }
    out
}

/// Where two texts part, with both lines: the documents hold invented values only.
fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut wanted, mut got) = (expected.split('\n'), found.split('\n'));
    for line in 1.. {
        match (wanted.next(), got.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => return "nowhere".to_owned(),
            (a, b) => return format!("at line {line}: wanted {a:?}, got {b:?}"),
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_are_left_out() {
        assert_eq!(without_comments(b"a: {\n    # why\n}\n# b\nc: '# no'\n"), "a: {}\nc: '# no'\n");
        assert_ne!(without_comments(b"a: 1\n"), without_comments(b"a: 2\n"));
    }
}
