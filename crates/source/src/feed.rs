//! Hands bytes to a visitor: whole, in pieces where they are large, unpacked where they are archives.

use std::io::{self, Read};
use std::ops::Range;

use bstr::BString;
use scan::{Base, Content, Lines, Origin, Seen, Skipped, Unread, Visitor};

use crate::archive::{self, stub};
use crate::limits::Limits;
use crate::lines;
use crate::sniff::{self, Archive, Kind};

/// What came of one content, or of one piece or inner file of it.
#[derive(Debug)]
pub(crate) struct Part {
    /// What to add to the outer path: empty, or `!inner`.
    pub(crate) inner: BString,
    /// The scanner's answer.
    pub(crate) seen: Seen,
    /// The lines that no earlier piece had: from here on.
    pub(crate) from_line: usize,
}

/// Takes the parts as they come.
pub(crate) type Take<'t> = &'t mut dyn FnMut(&mut dyn Visitor, Part);

/// One worker's way to its visitor.
pub(crate) struct Feed<'f> {
    pub(crate) limits: &'f Limits,
    pub(crate) visitor: &'f mut dyn Visitor,
}

impl Feed<'_> {
    /// A content that is in memory.
    pub(crate) fn whole(&mut self, bytes: &[u8], paths: &[BString], base: Option<Base<'_>>, take: Take<'_>) {
        match sniff::kind(bytes) {
            Kind::Plain => match stub::length(bytes).filter(|_| self.limits.archive_depth > 0) {
                None => self.plain(bytes, paths, base, take),
                Some(length) => {
                    let opened = archive::open_bytes(self, Archive::Zip, bytes, paths, take);
                    let plain = if opened == archive::Opened::Whole { &bytes[..length] } else { bytes };
                    self.plain(plain, paths, None, take);
                }
            },
            Kind::Media => {}
            Kind::Closed => self.closed(paths),
            Kind::Archive(kind) => {
                let opened = archive::open_bytes(self, kind, bytes, paths, take);
                if opened == archive::Opened::Broken {
                    self.plain(bytes, paths, None, take);
                }
            }
        }
    }

    /// A content that is not opened even if it looks like an archive.
    pub(crate) fn plain(&mut self, bytes: &[u8], paths: &[BString], base: Option<Base<'_>>, take: Take<'_>) {
        if bytes.len() <= self.limits.piece_bytes {
            let seen = self.visitor.content(&Content { bytes, paths, first_line: 1, base });
            return take(self.visitor, Part { inner: BString::default(), seen, from_line: 1 });
        }
        let mut cutter = Cutter::new(self.limits);
        let mut start = 0;
        while start < bytes.len() {
            let end = bytes.len().min(start + self.limits.piece_bytes);
            let (cut, keep) = cutter.cut(&bytes[start..end], end == bytes.len());
            let first_line = cutter.first_line;
            let seen =
                self.visitor.content(&Content { bytes: &bytes[start..start + cut], paths, first_line, base: None });
            take(self.visitor, Part { inner: BString::default(), seen, from_line: cutter.from_line });
            cutter.pass(&bytes[start..start + cut], keep);
            start += if end == bytes.len() { cut } else { keep };
        }
    }

    /// A content that is read bit by bit; never more than a piece of it is in memory.
    ///
    /// # Errors
    /// What the reader says; what came before it has been handed over.
    pub(crate) fn stream(&mut self, reader: &mut dyn Read, paths: &[BString], take: Take<'_>) -> io::Result<()> {
        let mut cutter = Cutter::new(self.limits);
        let mut buffer = Vec::new();
        loop {
            let room = self.limits.piece_bytes.saturating_sub(buffer.len()).max(1);
            let outcome = reader.take(room as u64).read_to_end(&mut buffer);
            let last = buffer.len() < self.limits.piece_bytes || outcome.is_err();
            let (cut, keep) = cutter.cut(&buffer, last);
            if cut > 0 {
                let content = Content { bytes: &buffer[..cut], paths, first_line: cutter.first_line, base: None };
                let seen = self.visitor.content(&content);
                take(self.visitor, Part { inner: BString::default(), seen, from_line: cutter.from_line });
            }
            outcome?;
            if last {
                return Ok(());
            }
            cutter.pass(&buffer[..cut], keep);
            buffer.drain(..keep);
        }
    }

    /// Names something as left out by rule.
    pub(crate) fn skipped(&mut self, what: &BString, why: &'static str) {
        self.visitor.skipped(Skipped { what: what.clone(), why });
    }

    /// Names something as unread.
    pub(crate) fn unread(&mut self, what: &BString, why: impl ToString) {
        self.visitor.unread(Unread { what: what.clone(), why: why.to_string() });
    }

    fn closed(&mut self, paths: &[BString]) {
        for path in paths {
            self.skipped(path, "an archive of a kind that is not opened");
        }
    }
}

/// Names one part's place; `lines` are those of the outer content and say nothing about files inside an archive.
pub(crate) fn place(visitor: &mut dyn Visitor, part: &Part, origin: &Origin, lines: Lines<'_>) {
    if part.seen.is_quiet() {
        return;
    }
    if !part.inner.is_empty() {
        let path = BString::from([origin.path.as_slice(), &part.inner].concat());
        return visitor.place(&part.seen, &Origin { path, ..origin.clone() }, from(part.from_line, &mut Vec::new()));
    }
    match lines {
        Lines::All => visitor.place(&part.seen, origin, from(part.from_line, &mut Vec::new())),
        Lines::Added(ranges) | Lines::Of { lines: ranges, .. } if part.from_line > 1 => {
            let later = ranges.iter().filter(|range| range.end > part.from_line);
            let later: Vec<_> = later.map(|range| range.start.max(part.from_line)..range.end).collect();
            let added = if let Lines::Of { added, .. } = lines { added } else { ranges };
            visitor.place(&part.seen, origin, Lines::Of { lines: &later, added });
        }
        Lines::Added(_) | Lines::Of { .. } => visitor.place(&part.seen, origin, lines),
    }
}

/// The added lines of a place, each run of them as a part of its own, where a visitor wants that. Contents that were handed
/// over in pieces, and what lies in archives, are left out.
pub(crate) fn excerpts(
    visitor: &mut dyn Visitor,
    parts: &[Part],
    path: &BString,
    bytes: &[u8],
    added: &[Range<usize>],
    take: Take<'_>,
) {
    let [Part { inner, seen, from_line: 1 }] = parts else { return };
    if !inner.is_empty() || !visitor.wants_excerpts() {
        return;
    }
    for (range, lines) in lines::cut(bytes, added) {
        if lines.len() == bytes.len() {
            continue;
        }
        let paths = std::slice::from_ref(path);
        let seen = visitor.excerpt(&Content { bytes: lines, paths, first_line: range.start, base: None }, seen);
        if !seen.is_quiet() {
            take(visitor, Part { inner: BString::default(), seen, from_line: 1 });
        }
    }
}

fn from(line: usize, store: &mut Vec<Range<usize>>) -> Lines<'_> {
    if line <= 1 {
        return Lines::All;
    }
    store.push(line..usize::MAX);
    Lines::Added(store)
}

/// Where pieces begin and end.
struct Cutter {
    piece: usize,
    overlap: usize,
    first_line: usize,
    from_line: usize,
}

impl Cutter {
    fn new(limits: &Limits) -> Self {
        let overlap = limits.overlap_bytes.min(limits.piece_bytes / 4);
        Self { piece: limits.piece_bytes, overlap, first_line: 1, from_line: 1 }
    }

    /// How much of `bytes` is this piece, and where the next one starts in it. Only a line that is longer than a
    /// piece is cut inside.
    fn cut(&self, bytes: &[u8], last: bool) -> (usize, usize) {
        if last {
            return (bytes.len(), bytes.len());
        }
        let cut = match memchr::memrchr(b'\n', bytes) {
            Some(at) if at >= self.piece / 2 => at + 1,
            _ => bytes.len(),
        };
        let earliest = cut - self.overlap;
        let keep = match memchr::memchr(b'\n', &bytes[earliest..cut]) {
            Some(at) if earliest + at + 1 < cut => earliest + at + 1,
            _ => earliest,
        };
        (cut, keep)
    }

    /// Goes on to the next piece.
    fn pass(&mut self, piece: &[u8], keep: usize) {
        let kept = memchr::memchr_iter(b'\n', &piece[keep..]).count();
        self.first_line += memchr::memchr_iter(b'\n', &piece[..keep]).count();
        self.from_line = self.first_line + kept;
    }
}
