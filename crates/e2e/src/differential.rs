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
    /// Does sops show a comment of our file that its own file lost or moved? Never for another reason than these.
    pub comments: Option<Kept>,
}

/// A comment that stays in its place with us, while sops' own encryption does not keep it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// sops writes the comment behind an empty `{}` into the braces, where its reader drops it.
    InEmptyBraces,
    /// go-yaml drops a comment above a null that ends the file, and moves one behind it to the top; with metadata below
    /// it the null no longer ends our file.
    AroundLastNull,
    /// go-yaml gives a comment behind an alias to the key, but one behind the map that the alias stands for to the map:
    /// it shows one line deeper.
    BehindAlias,
    /// go-yaml gives a comment that ends the file without a line break to the innermost map; in our file a break and
    /// the metadata follow it.
    UnendedComment,
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
            self.against_theirs(text, &their_name, &read_by_sops, &mut verdict);
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

    fn against_theirs(&self, text: &[u8], their_name: &str, read_by_sops: &Outcome, verdict: &mut Verdict) {
        let expected = self.sops(&["decrypt", their_name]);
        if !expected.ok() {
            verdict.sops_fails_itself = true;
            return;
        }
        if !read_by_sops.ok() {
            verdict.problems.push(format!("sops does not read our file: {}", read_by_sops.errors().trim()));
        } else if read_by_sops.stdout != expected.stdout {
            verdict.comments = kept(text, &read_by_sops.stdout, &expected.stdout);
        }
        if read_by_sops.ok() && read_by_sops.stdout != expected.stdout && verdict.comments.is_none() {
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

/// Why two decrypted texts of the same plain `text` differ in comments, if it is for a known reason.
fn kept(text: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Kept> {
    if braces_closed(ours) == braces_closed(theirs) {
        Some(Kept::InEmptyBraces)
    } else if ends_in_null(text) && without_comments(ours) == without_comments(theirs) {
        Some(Kept::AroundLastNull)
    } else if has_comment_behind_alias(text) && without_comments(ours) == without_comments(theirs) {
        Some(Kept::BehindAlias)
    } else if ends_in_comment(text) && without_comments(ours) == without_comments(theirs) {
        Some(Kept::UnendedComment)
    } else {
        None
    }
}

fn ends_in_comment(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.lines().next_back().is_some_and(|line| line.starts_with('#')) && !text.ends_with('\n')
}

/// Whether the last line that is no comment has, in any document, a key or dash without a value.
fn ends_in_null(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).split("\n---").any(document_ends_in_null)
}

fn document_ends_in_null(text: &str) -> bool {
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let last = text.lines().rfind(says).unwrap_or_default();
    let value = last.split(" #").next().unwrap_or_default().trim_end();
    let bare = value.rsplit_once(" &").filter(|(_, anchor)| !anchor.contains(' ')).map_or(value, |(before, _)| before);
    bare.ends_with([':', '-'])
}

fn has_comment_behind_alias(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut values = text.lines().filter_map(|line| line.split_once(" #")).map(|(value, _)| value.trim_end());
    values.any(|value| value.rsplit(' ').next().is_some_and(|word| word.starts_with('*')))
}

/// The text with `{}` closed up again where only comments were inside.
fn braces_closed(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    let mut inside = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim() == "}" && out.ends_with("{\n") {
            out.truncate(out.len() - 1);
            out.push_str(line.trim_start());
            inside.clear();
        } else if out.ends_with("{\n") && line.trim_start().starts_with('#') {
            inside.push_str(line);
        } else {
            out.push_str(&std::mem::take(&mut inside));
            out.push_str(line);
        }
    }
    out + &inside
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

    #[test]
    fn a_comment_elsewhere_has_a_known_reason() {
        let judge = |text: &str, ours: &str, theirs: &str| kept(text.as_bytes(), ours.as_bytes(), theirs.as_bytes());
        let plain = "a: {} # c\nb: 1\n";
        assert_eq!(judge(plain, "a: {\n    # c\n}\nb: 1\n", "a: {}\nb: 1\n"), Some(Kept::InEmptyBraces));
        assert_eq!(judge(plain, "a: {}\n# c\nb: 1\n", "a: {}\nb: 1\n"), None);
        assert_eq!(judge(plain, "a: {\n    # c\n}\nb: 2\n", "a: {}\nb: 1\n"), None);
        let last = "a: 1\nb: &x # c\n";
        assert_eq!(judge(last, "a: 1\n# c\nb: null\n", "# c\na: 1\nb: null\n"), Some(Kept::AroundLastNull));
        assert_eq!(judge("a: 1\nb: x # c\n", "a: 1\n# c\nb: x\n", "# c\na: 1\nb: x\n"), None);
    }
}
