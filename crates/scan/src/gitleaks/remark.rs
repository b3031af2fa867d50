//! What there is to say about a place in a configuration.

use std::sync::Arc;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but probably does not mean what it says.
    Warning,
    /// It could be better.
    Advice,
}

/// A remark with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Remark {
    /// How much it matters.
    pub level: Level,
    /// The path of an extended file as the configuration writes it; `None` for the configuration itself.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: usize,
    /// Column in code points, from 1.
    pub column: usize,
    /// What, in one clause.
    pub what: String,
    /// What to do, if that can be told.
    pub hint: Option<String>,
}

/// A remark that makes a configuration unusable.
pub type ConfigError = Remark;

/// Sorts by file, line and column; the configuration itself first.
pub(super) fn sort(remarks: &mut [Remark]) {
    remarks.sort_by(|a, b| {
        let key = |remark: &Remark| (remark.file.clone(), remark.line, remark.column, remark.level);
        key(a).cmp(&key(b))
    });
}

/// A place, kept after its text is gone.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Option<Arc<str>>,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) fn remark(&self, level: Level, what: impl Into<String>, hint: Option<&str>) -> Remark {
        let file = self.file.as_deref().map(str::to_owned);
        let hint = hint.map(str::to_owned);
        Remark { level, file, line: self.line, column: self.column, what: what.into(), hint }
    }
}

/// The text that is being read, and what was said about it.
pub(super) struct Text<'t> {
    pub(super) text: &'t str,
    file: Option<Arc<str>>,
    line_starts: Vec<usize>,
    pub(super) remarks: Vec<Remark>,
}

impl<'t> Text<'t> {
    pub(super) fn new(text: &'t str, file: Option<Arc<str>>) -> Self {
        let line_starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        Self { text, file, line_starts: line_starts.collect(), remarks: Vec::new() }
    }

    /// The place of a byte.
    pub(super) fn place(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        let before = self.text.as_bytes().get(start..offset.min(self.text.len())).unwrap_or_default();
        let column = 1 + String::from_utf8_lossy(before).chars().count();
        Place { file: self.file.clone(), line, column }
    }

    pub(super) fn error(&mut self, offset: usize, what: impl Into<String>) {
        self.remarks.push(self.place(offset).remark(Level::Error, what, None));
    }

    pub(super) fn error_with(&mut self, offset: usize, what: impl Into<String>, hint: &str) {
        self.remarks.push(self.place(offset).remark(Level::Error, what, Some(hint)));
    }

    pub(super) fn warn(&mut self, offset: usize, what: impl Into<String>) {
        self.remarks.push(self.place(offset).remark(Level::Warning, what, None));
    }

    pub(super) fn warn_with(&mut self, offset: usize, what: impl Into<String>, hint: &str) {
        self.remarks.push(self.place(offset).remark(Level::Warning, what, Some(hint)));
    }
}
