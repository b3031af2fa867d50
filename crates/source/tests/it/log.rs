//! A visitor that writes down what it is told.

use std::ops::Range;
use std::sync::Mutex;

use bstr::{BString, ByteSlice};
use scan::{Candidate, Content, Lines, Origin, Seen, Skipped, Span, Unread, Visitor};
use source::{Source, SourceError};

/// One call of [`Visitor::content`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) paths: Vec<BString>,
    pub(crate) first_line: usize,
    pub(crate) bytes: BString,
}

/// One call of [`Visitor::place`]; no lines = all.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) origin: Origin,
    pub(crate) lines: Option<Vec<Range<usize>>>,
    pub(crate) candidates: Vec<Span>,
}

/// Everything that was told.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) contents: Vec<Told>,
    pub(crate) places: Vec<Placed>,
    pub(crate) unread: Vec<Unread>,
    pub(crate) skipped: Vec<Skipped>,
    /// Contents that came with a base.
    pub(crate) based: usize,
}

struct Writer<'l>(&'l Mutex<Log>);

impl Visitor for Writer<'_> {
    fn content(&mut self, content: &Content<'_>) -> Seen {
        let mut log = self.0.lock().unwrap();
        if let Some(base) = &content.base {
            log.based += 1;
            let mut end = 0;
            for copied in base.copied {
                assert!(copied.to >= end, "ascending and apart");
                end = copied.to + copied.len;
                assert!(
                    base.bytes[copied.from..copied.from + copied.len] == content.bytes[copied.to..end],
                    "what is said to be copied is equal"
                );
            }
        }
        let bytes = BString::from(content.bytes);
        log.contents.push(Told { paths: content.paths.to_vec(), first_line: content.first_line, bytes });
        // Everything is suspicious, so that every place is told; each line that says so is a candidate.
        let mut candidates = vec![candidate(content.first_line)];
        for (index, line) in content.bytes.lines().enumerate() {
            if line.contains_str("needle") {
                candidates.push(candidate(content.first_line + index));
            }
        }
        Seen::of(candidates)
    }

    fn place(&mut self, seen: &Seen, origin: &Origin, lines: Lines<'_>) {
        let lines = match lines {
            Lines::All => None,
            Lines::Added(ranges) | Lines::Of { lines: ranges, .. } => Some(ranges.to_vec()),
        };
        let candidates = seen.candidates.iter().map(|candidate| candidate.span).collect();
        self.0.lock().unwrap().places.push(Placed { origin: origin.clone(), lines, candidates });
    }

    fn unread(&mut self, unread: Unread) {
        self.0.lock().unwrap().unread.push(unread);
    }

    fn skipped(&mut self, skipped: Skipped) {
        self.0.lock().unwrap().skipped.push(skipped);
    }
}

fn candidate(line: usize) -> Candidate {
    let span = Span { start_line: line, end_line: line, ..Span::default() };
    Candidate::bare(0, span)
}

/// Reads a source to its end.
pub(crate) fn read(source: &dyn Source) -> Log {
    try_read(source).unwrap()
}

/// The same for one that may refuse.
pub(crate) fn try_read(source: &dyn Source) -> Result<Log, SourceError> {
    let log = Mutex::new(Log::default());
    // The visitors live no longer than this call, but the trait ties them to the source.
    let leaked: &'static Mutex<Log> = Box::leak(Box::new(log));
    source.each(&|| Box::new(Writer(leaked)))?;
    let mut log = std::mem::take(&mut *leaked.lock().unwrap());
    log.contents.sort();
    log.unread.sort();
    log.skipped.sort();
    Ok(log)
}

impl Log {
    /// The paths of all contents.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> =
            self.contents.iter().flat_map(|told| &told.paths).map(|path| path.to_str().unwrap()).collect();
        paths.sort_unstable();
        paths
    }

    /// The paths of all places.
    pub(crate) fn placed(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.places.iter().map(|place| place.origin.path.to_str().unwrap()).collect();
        paths.sort_unstable();
        paths
    }

    /// The lines told for a place with this path.
    pub(crate) fn lines(&self, path: &str) -> Option<&[Range<usize>]> {
        self.places.iter().find(|place| place.origin.path == path).expect("the place was told").lines.as_deref()
    }
}
