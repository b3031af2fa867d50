//! What can be wrong with a file's text: a place and a sentence, never the text itself.

use thiserror::Error;

/// Which class of failure it is; the shells map it to an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The text does not follow the format's syntax, or breaks a limit.
    Syntax,
    /// The file has no content at all (zero bytes).
    Empty,
    /// Readable, but cannot be held in a SOPS tree (non-string key, unsigned 64-bit integer, …).
    Unsupported,
    /// A tree that this format cannot write (a nested map in dotenv, NaN in JSON, …).
    Unwritable,
}

/// A file that cannot be read or a tree that cannot be written. Carries no content of the file.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{what}")]
pub struct FormatError {
    /// Class of the failure.
    pub problem: Problem,
    /// Line and column from 1, where known (columns count characters).
    pub at: Option<(usize, usize)>,
    /// What is wrong, in one clause.
    pub what: String,
}

impl FormatError {
    /// A failure at a byte offset of `source`.
    pub fn at(source: &[u8], offset: usize, problem: Problem, what: impl Into<String>) -> Self {
        Self { problem, at: Some(place(source, offset)), what: what.into() }
    }

    /// A failure without a place.
    pub fn new(problem: Problem, what: impl Into<String>) -> Self {
        Self { problem, at: None, what: what.into() }
    }
}

/// Line and column from 1 of a byte offset. LF, CRLF and CR end a line.
pub(crate) fn place(source: &[u8], offset: usize) -> (usize, usize) {
    let before = &source[..offset.min(source.len())];
    let mut line = 1;
    let mut start = 0;
    for (index, byte) in before.iter().enumerate() {
        let ends = match byte {
            b'\n' => true,
            b'\r' => source.get(index + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            line += 1;
            start = index + 1;
        }
    }
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}
