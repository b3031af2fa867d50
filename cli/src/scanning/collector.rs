//! Takes what workers see and gathers it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use scan::{Candidate, Content, Finding, Lines, Origin, RuleSet, Scanner, Seen, Skipped, Span, Unread, Visitor};

use super::Found;
use super::guarding::Guarding;
use crate::failure::Failure;
use crate::paths::shown;

/// From here on the rule of a candidate is the number of what the guard said of the content.
const GUARDED: usize = usize::MAX / 2;

/// Which contents the guard is asked about.
#[derive(Clone, Copy)]
pub(crate) enum Watch<'s> {
    /// None.
    Nothing,
    /// Files of a work tree.
    Files(&'s Guarding),
    /// Versions of files that commits brought.
    Versions(&'s Guarding),
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Distinct contents.
    pub(crate) contents: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Gathers what all workers find.
pub(crate) struct Collector<'s> {
    scanner: &'s Scanner,
    watch: Watch<'s>,
    /// What the guard said of versions, by number.
    guarded: Mutex<Vec<Arc<[Finding]>>>,
    deadline: Option<Instant>,
    contents: AtomicU64,
    bytes: AtomicU64,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    findings: Vec<Finding>,
    unread: Vec<Unread>,
    skipped: Vec<Skipped>,
    late: bool,
}

impl<'s> Collector<'s> {
    /// A collector that gives up after `timeout` seconds; 0 = never.
    pub(crate) fn new(scanner: &'s Scanner, watch: Watch<'s>, timeout: u64) -> Self {
        let deadline = (timeout > 0).then(|| Instant::now() + Duration::from_secs(timeout));
        Self {
            scanner,
            watch,
            guarded: Mutex::default(),
            deadline,
            contents: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            gathered: Mutex::default(),
        }
    }

    /// A visitor for one worker.
    pub(crate) fn worker(&self) -> Box<dyn Visitor + '_> {
        Box::new(Worker { shared: self, own: Gathered::default(), contents: 0, bytes: 0 })
    }

    /// Adds what was found by other means.
    pub(crate) fn add(&self, findings: Vec<Finding>) {
        self.lock().findings.extend(findings);
    }

    /// What the rules for encryption say is not known, or not of everything.
    pub(crate) fn unguarded(&self, failure: &Failure) {
        let file = failure.file.as_ref().map_or(String::new(), |file| format!("{}: ", shown(file)));
        let why = format!("{file}{}", failure.what);
        self.lock().unread.push(Unread { what: "the rules for encryption".into(), why });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything, in the order of reports.
    pub(crate) fn finish(self, rules: Arc<RuleSet>) -> Found {
        let Gathered { mut findings, mut unread, mut skipped, late } =
            self.gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        if late {
            let why = "the time given by --timeout ran out before everything was read".to_owned();
            unread.push(Unread { what: "scan".into(), why });
        }
        findings.sort_by(|one, other| one.order().cmp(&other.order()));
        findings.dedup();
        unread.sort();
        unread.dedup();
        skipped.sort();
        skipped.dedup();
        let counts = Counts { contents: self.contents.into_inner(), bytes: self.bytes.into_inner() };
        Found { findings, unread, skipped, counts, rules, notes: Vec::new(), remote: None }
    }
}

/// What one worker found; handed over when it is done.
struct Worker<'w, 's> {
    shared: &'w Collector<'s>,
    own: Gathered,
    contents: u64,
    bytes: u64,
}

impl Visitor for Worker<'_, '_> {
    fn content(&mut self, content: &Content<'_>) -> Seen {
        if self.stop() {
            return Seen::default();
        }
        self.contents += 1;
        self.bytes += content.bytes.len() as u64;
        let mut seen = self.shared.scanner.scan(content);
        match self.shared.watch {
            Watch::Nothing => {}
            Watch::Files(guard) => self.own.findings.extend(guard.content(content)),
            Watch::Versions(guard) => seen.candidates.extend(self.guarded(guard.version(content))),
        }
        seen
    }

    fn place(&mut self, seen: &Seen, origin: &Origin, lines: Lines<'_>) {
        let Some(number) = seen.candidates.last().and_then(|last| last.rule.checked_sub(GUARDED)) else {
            return self.own.findings.extend(self.shared.scanner.judge(seen, origin, lines));
        };
        let mut found = seen.clone();
        found.candidates.pop();
        self.own.findings.extend(self.shared.scanner.judge(&found, origin, lines));
        let guarded = self.shared.guarded.lock().unwrap_or_else(PoisonError::into_inner)[number].clone();
        let here = guarded.iter().filter(|finding| {
            finding.origin.path == origin.path && lines.touch(finding.span.start_line, finding.span.end_line)
        });
        self.own.findings.extend(here.map(|finding| Finding { origin: origin.clone(), ..finding.clone() }));
    }

    fn wants_excerpts(&self) -> bool {
        self.shared.scanner.wants_excerpts() && !self.own.late
    }

    fn excerpt(&mut self, lines: &Content<'_>, whole: &Seen) -> Seen {
        self.shared.scanner.excerpt(lines, whole)
    }

    fn stop(&mut self) -> bool {
        self.own.late |= self.shared.deadline.is_some_and(|deadline| Instant::now() > deadline);
        self.own.late
    }

    fn unread(&mut self, unread: Unread) {
        self.own.unread.push(unread);
    }

    fn skipped(&mut self, skipped: Skipped) {
        self.own.skipped.push(skipped);
    }
}

impl Worker<'_, '_> {
    /// Keeps what the guard said until a place is known; the candidate stands for it among those of the scanner.
    fn guarded(&self, findings: Vec<Finding>) -> Option<Candidate> {
        if findings.is_empty() {
            return None;
        }
        let last = findings.iter().map(|finding| finding.span.end_line).max().unwrap_or(1);
        let first = findings.iter().map(|finding| finding.span.start_line).min().unwrap_or(1);
        let mut all = self.shared.guarded.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(findings.into());
        let span = Span { start_line: first, end_line: last, ..Span::default() };
        Some(Candidate::bare(GUARDED + all.len() - 1, span))
    }
}

impl Drop for Worker<'_, '_> {
    fn drop(&mut self) {
        self.shared.contents.fetch_add(self.contents, Ordering::Relaxed);
        self.shared.bytes.fetch_add(self.bytes, Ordering::Relaxed);
        let mut all = self.shared.lock();
        all.findings.append(&mut self.own.findings);
        all.unread.append(&mut self.own.unread);
        all.skipped.append(&mut self.own.skipped);
        all.late |= self.own.late;
    }
}
