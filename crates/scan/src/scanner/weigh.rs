//! From a match to a possible secret: what is the secret in it, and do entropy and checks let it stand?

use std::ops::Range;

use bstr::BString;

use crate::detect::{self, Detected, Detector, Look, Place, Scope};
use crate::entropy::shannon;
use crate::finding::{Confidence, Severity};
use crate::fingerprint::explains;
use crate::lines::line_range;
use crate::machine::Machine;
use crate::reference;
use crate::rule::{Rule, Suspect, Verdict};
use crate::scanner::Scanner;
use crate::scanner::views::{Views, touching};
use crate::work;

/// Keyword places of a whole text that a detector is told.
pub(crate) const MOST_PLACES: usize = 1 << 22;
/// A line longer than this is handed to detectors in pieces: the cells in which keywords stand, and a margin.
pub(crate) const LONG_LINE: usize = 2 * CELL;
const CELL: usize = 4096;
const MARGIN: usize = 1024;

/// A possible secret and its place in a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) rule: usize,
    pub(crate) view: usize,
    /// Without line ends at either side.
    pub(crate) matched: Range<usize>,
    pub(crate) secret: Range<usize>,
    pub(crate) confidence: Confidence,
    pub(crate) severity: Severity,
    /// Only searched as a component.
    pub(crate) part: bool,
    /// No secret; but over the border of lines, so that it may take the place of one.
    pub(crate) dropped: bool,
}

/// The view that is searched.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'v> {
    pub(crate) views: &'v Views<'v>,
    pub(crate) view: usize,
    pub(crate) paths: &'v [BString],
    pub(crate) place: Place,
}

impl<'v> Sight<'v> {
    pub(crate) fn text(&self) -> &'v [u8] {
        self.views.text(self.view)
    }
}

impl Scanner {
    /// What a match of a rule's regular expression amounts to.
    pub(crate) fn weigh(
        &self,
        views: &Views<'_>,
        view: usize,
        index: usize,
        range: Range<usize>,
        machine: &mut Machine,
    ) -> Option<Hit> {
        let text = views.text(view);
        let rule = &self.rules.rules[index];
        let matched = trim(text, &range);
        if !is_new(views, view, &matched) {
            return None;
        }
        let group = machine.secret(rule.regex.as_ref()?, text, &range, rule.secret_group);
        let secret = group.unwrap_or_else(|| matched.clone());
        let (confidence, severity) = (rule.confidence, rule.severity);
        let hit = Hit { rule: index, view, matched, secret, confidence, severity, part: false, dropped: false };
        let Hit { matched, secret, .. } = &hit;
        let dropped = || self.wants_excerpts() && crosses_lines(&text[range.clone()]);
        if !has_entropy(rule, &text[secret.clone()]) || explains(text, matched, secret) {
            return dropped().then_some(Hit { dropped: true, ..hit });
        }
        let suspect = Suspect { secret: &text[secret.clone()], matched: &text[matched.clone()] };
        let (confidence, severity) = match rule.check.map_or(Verdict::Yes, |check| check(&suspect)) {
            Verdict::No => return dropped().then_some(Hit { dropped: true, ..hit }),
            Verdict::Yes => (confidence, severity),
            Verdict::As(confidence, severity) => (confidence, severity),
        };
        Some(Hit { confidence, severity, ..hit })
    }

    /// Runs every detector over the whole of one view, line by line where it wants lines.
    pub(crate) fn detect_by_reference(&self, sight: &Sight<'_>, hits: &mut Vec<Hit>) {
        if !self.rules.structural {
            return;
        }
        let text = sight.text();
        for detector in detect::detectors() {
            let places = keyword_places(text, detector);
            match detector.scope {
                _ if places.is_empty() && !detector.keywords.is_empty() => {}
                Scope::Whole => {
                    let places = &places[..places.len().min(MOST_PLACES)];
                    self.run_detector(detector, sight, 0..text.len(), places, hits);
                }
                Scope::Line => {
                    let lines = places.chunk_by(|a, b| !text[*a..*b].contains(&b'\n'));
                    for places in lines {
                        let line = line_at(text, places[0]);
                        self.run_on_line(detector, sight, line, places, hits);
                    }
                }
            }
        }
    }

    /// Runs a detector over a line of a view; of a long line over the pieces in which `places` stand.
    pub(crate) fn run_on_line(
        &self,
        detector: &Detector,
        sight: &Sight<'_>,
        line: Range<usize>,
        places: &[usize],
        hits: &mut Vec<Hit>,
    ) {
        if line.len() <= LONG_LINE {
            return self.run_detector(detector, sight, line, places, hits);
        }
        for places in places.chunk_by(|a, b| cell(&line, *a) == cell(&line, *b)) {
            let start = line.start + cell(&line, places[0]) * CELL;
            let piece = start.saturating_sub(MARGIN).max(line.start)..line.end.min(start + CELL + MARGIN);
            self.run_detector(detector, sight, piece, places, hits);
        }
    }

    /// Runs a detector over a part of a view; `places` are offsets in the view.
    pub(crate) fn run_detector(
        &self,
        detector: &Detector,
        sight: &Sight<'_>,
        part: Range<usize>,
        places: &[usize],
        hits: &mut Vec<Hit>,
    ) {
        let places: Vec<usize> = places.iter().map(|place| place - part.start).collect();
        work::count(part.len());
        let mut detected = Vec::new();
        let look = Look { bytes: &sight.text()[part.clone()], paths: sight.paths, place: sight.place, hits: &places };
        (detector.run)(&look, &mut detected);
        let weighed =
            detected.into_iter().filter_map(|found| self.weigh_detected(sight.views, sight.view, part.start, found));
        hits.extend(weighed);
    }

    fn weigh_detected(&self, views: &Views<'_>, view: usize, offset: usize, found: Detected) -> Option<Hit> {
        let index = self.index_of(found.rule)?;
        let rule = &self.rules.rules[index];
        let shift = |range: Range<usize>| range.start + offset..range.end + offset;
        let (matched, secret) = (shift(found.matched), shift(found.secret));
        let stands = self.reported[index]
            && is_new(views, view, &matched)
            && has_entropy(rule, views.text(view).get(secret.clone())?)
            && !explains(views.text(view), &matched, &secret);
        let Detected { confidence, severity, .. } = found;
        let hit = Hit { rule: index, view, matched, secret, confidence, severity, part: false, dropped: false };
        stands.then_some(hit)
    }
}

/// Whether a part of a view may say something that the view before did not: it overlaps what was decoded, or ends where
/// that begins, or the other way round. What stood there before may have been a letter of a longer word.
pub(crate) fn is_new(views: &Views<'_>, view: usize, part: &Range<usize>) -> bool {
    views.segments(view).is_none_or(|segments| !touching(segments, part).is_empty())
}

fn has_entropy(rule: &Rule, secret: &[u8]) -> bool {
    rule.entropy == 0.0 || shannon(secret) > rule.entropy
}

/// Whether a match begins on one line and ends on another; the line end behind it is no other line.
fn crosses_lines(matched: &[u8]) -> bool {
    matched.split_last().is_some_and(|(_, before)| before.contains(&b'\n'))
}

/// Line ends at either side belong to the text round the match.
fn trim(text: &[u8], range: &Range<usize>) -> Range<usize> {
    let matched = &text[range.clone()];
    let leading = matched.iter().take_while(|byte| **byte == b'\n').count();
    let trailing = matched[leading..].iter().rev().take_while(|byte| **byte == b'\n').count();
    range.start + leading..range.end - trailing
}

/// The line at an offset without its line end.
pub(crate) fn line_at(text: &[u8], offset: usize) -> Range<usize> {
    let line = line_range(text, &(offset..offset));
    let returns = text[line.clone()].ends_with(b"\r");
    line.start..line.end - usize::from(returns)
}

/// The piece of a long line that a place belongs to.
pub(crate) fn cell(line: &Range<usize>, place: usize) -> usize {
    (place - line.start) / CELL
}

/// Where any keyword of a detector stands, ascending.
fn keyword_places(text: &[u8], detector: &Detector) -> Vec<usize> {
    let mut places: Vec<usize> =
        detector.keywords.iter().flat_map(|keyword| reference::places(text, keyword)).collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::trim;

    #[test]
    fn line_ends_are_trimmed_off_matches() {
        assert_eq!(trim(b"\n\nab\n", &(0..5)), 2..4);
        assert_eq!(trim(b"\n\n\n", &(0..3)), 3..3);
        assert_eq!(trim(b" a\r\n", &(0..4)), 0..3);
    }
}
