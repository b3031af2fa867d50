//! Files that name findings which are accepted: gitleaks' `.gitleaksignore`, and our own `.plomb-allow`.
//!
//! Both readers take any size in linear time, never fail as a whole, and say which lines they could not read; an entry
//! that is not understood hides nothing. Both remember which entries were of use, so that stale ones can be reported.

pub mod allow;
pub mod day;
pub mod gitleaks;

pub use allow::{Allow, Entry};
pub use day::Day;
pub use gitleaks::GitleaksIgnore;

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Malformed {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong, without its text.
    pub what: &'static str,
}

/// The lines of a text with their numbers from 1, trimmed; blank lines and comments are left out, and a byte order mark.
fn entries(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let numbered = text.split(|byte| *byte == b'\n').enumerate().map(|(index, line)| (index + 1, line.trim_ascii()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
}
