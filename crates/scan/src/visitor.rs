//! What a source hands its contents to.

use std::ops::Range;

use bstr::BString;

use crate::content::Content;
use crate::finding::Origin;
use crate::scanner::Seen;

/// Which lines of a content are new at a place; numbers from 1, ranges half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines<'a> {
    /// All of them.
    All,
    /// Only these, ascending; a match counts if any of its lines is in one.
    Added(&'a [Range<usize>]),
    /// As `Added`, but of these only `lines`.
    Of {
        /// The lines that count.
        lines: &'a [Range<usize>],
        /// All lines that are new, each run of them whole.
        added: &'a [Range<usize>],
    },
}

impl Lines<'_> {
    /// Whether any line from `first` to `last` (inclusive) is among them.
    pub fn touch(&self, first: usize, last: usize) -> bool {
        match self {
            Self::All => true,
            Self::Added(lines) | Self::Of { lines, .. } => {
                lines.iter().any(|range| range.start <= last && first < range.end)
            }
        }
    }

    /// The first line of the run of new lines that a line is in; of a line that is in none, itself.
    pub fn run_start(&self, line: usize) -> usize {
        match self {
            Self::All => 1,
            Self::Added(added) | Self::Of { added, .. } => {
                added.iter().find(|range| range.contains(&line)).map_or(line, |range| range.start)
            }
        }
    }
}

/// Something that was asked for and could not be read: the scan is incomplete (exit code 2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// File, object or ref.
    pub what: BString,
    /// Why, one phrase.
    pub why: String,
}

/// Something that is left out by rule (links, devices, bombs): named in the summary, no failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// File or object.
    pub what: BString,
    /// Why, one phrase.
    pub why: &'static str,
}

/// Receives what a source reads; one per worker thread.
pub trait Visitor: Send {
    /// Looks at one content. Called once per distinct content where the source can tell (history), before its places.
    fn content(&mut self, content: &Content<'_>) -> Seen;

    /// Says that a content stands at `origin`, with these lines new there. Not called if `seen` is quiet.
    fn place(&mut self, seen: &Seen, origin: &Origin, lines: Lines<'_>);

    /// Whether [`Self::excerpt`] is to be asked about added lines.
    fn wants_excerpts(&self) -> bool {
        false
    }

    /// Looks at added lines alone; the answer is what they hold beyond `whole`, the answer for the content they are in.
    fn excerpt(&mut self, lines: &Content<'_>, whole: &Seen) -> Seen {
        let _ = (lines, whole);
        Seen::default()
    }

    /// Whether there is no time left: nothing more is to be looked for.
    fn stop(&mut self) -> bool {
        false
    }

    /// Something could not be read.
    fn unread(&mut self, unread: Unread);

    /// Something was left out by rule.
    fn skipped(&mut self, skipped: Skipped);
}
