//! Where in a regular expression a keyword must stand.
//!
//! An [`Anchor`] splits an expression into head and tail: every match is a head, then a tail, and at a known distance
//! from the tail's start stands a keyword. So a match can only be where a tail matches right at a keyword, which is
//! cheap to ask: most tails fail after a few bytes. A match of an expression with alternatives has one of several
//! anchors.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::fold::lower;

/// More anchors than this are not worth it: the whole text is searched instead.
const MAX_ANCHORS: usize = 24;
/// Texts that a part may stand for, and the sum of their lengths.
const MAX_TEXTS: usize = 128;
const MAX_BYTES: usize = 4096;
/// Letters of a class that are told apart.
const MAX_LETTERS: usize = 8;

/// Repetitions up to this stand in a probe as they are.
const SHORT: u32 = 24;

/// One place of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    /// From here to the end; groups are dropped.
    pub(crate) tail: Hir,
    /// What stands before it.
    pub(crate) before: Hir,
    /// How far a match may begin before the tail.
    pub(crate) head: Reach,
    /// Number of a keyword in the rule's list, and its distance from the tail's start.
    pub(crate) keywords: Vec<(usize, usize)>,
}

/// How far something can extend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// At most so many bytes.
    Bytes(usize),
    /// Not beyond the line.
    Line,
    /// Anywhere.
    Open,
}

/// The anchors of an expression; empty if there is a match without any keyword, or none was found.
pub(crate) fn anchors(hir: &Hir, keywords: &[String]) -> Vec<Anchor> {
    let keywords: Vec<Vec<u8>> = keywords.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect();
    if keywords.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let whole = search(hir, &Surroundings { head: &[], rest: &[] }, &keywords, &mut found);
    match whole && found.len() <= MAX_ANCHORS {
        true => found,
        false => Vec::new(),
    }
}

/// What stands before and after a part.
struct Surroundings<'h> {
    head: &'h [Hir],
    rest: &'h [Hir],
}

/// Adds anchors such that every match of `part` in its surroundings has one; `false` if that cannot be.
fn search(part: &Hir, around: &Surroundings<'_>, keywords: &[Vec<u8>], found: &mut Vec<Anchor>) -> bool {
    if found.len() > MAX_ANCHORS {
        return false;
    }
    if let Some((_, places)) = spelling_row(&[spell(part)], keywords) {
        found.push(anchor(std::slice::from_ref(part), around, places));
        return true;
    }
    match part.kind() {
        HirKind::Capture(capture) => search(&capture.sub, around, keywords, found),
        HirKind::Concat(parts) => search_row(parts, around, keywords, found),
        HirKind::Alternation(parts) => parts.iter().all(|part| search(part, around, keywords, found)),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            let rest = Repetition {
                min: repetition.min - 1,
                max: repetition.max.map(|max| max - 1),
                greedy: repetition.greedy,
                sub: repetition.sub.clone(),
            };
            let rest = [&[Hir::repetition(rest)], around.rest].concat();
            search(&repetition.sub, &Surroundings { head: around.head, rest: &rest }, keywords, found)
        }
        _ => false,
    }
}

/// In a row of parts, the best anchor: neighbours that spell a keyword, else one part that has anchors of its own;
/// a bounded head before any other.
fn search_row(parts: &[Hir], around: &Surroundings<'_>, keywords: &[Vec<u8>], found: &mut Vec<Anchor>) -> bool {
    let surroundings =
        |from: usize, to: usize| (([around.head, &parts[..from]].concat()), ([&parts[to..], around.rest].concat()));
    let mut best: Option<Vec<Anchor>> = None;
    let spelled: Vec<Option<Vec<Vec<u8>>>> = parts.iter().map(spell).collect();
    for from in 0..parts.len() {
        let row = spelling_row(&spelled[from..], keywords).map(|(count, places)| (from + count, places));
        let anchors = match row {
            Some((to, places)) => {
                let (head, rest) = surroundings(from, to);
                vec![anchor(&parts[from..to], &Surroundings { head: &head, rest: &rest }, places)]
            }
            None => {
                let (head, rest) = surroundings(from, from + 1);
                let mut anchors = Vec::new();
                let around = Surroundings { head: &head, rest: &rest };
                match search(&parts[from], &around, keywords, &mut anchors) {
                    true => anchors,
                    false => continue,
                }
            }
        };
        if best.as_ref().is_none_or(|best| cost(&anchors) < cost(best)) {
            best = Some(anchors);
        }
    }
    match best {
        Some(anchors) => {
            found.extend(anchors);
            true
        }
        None => false,
    }
}

/// What is better is less: bounded heads first, then few anchors, then short heads.
fn cost(anchors: &[Anchor]) -> (usize, usize, usize) {
    let kind = |reach: Reach| match reach {
        Reach::Bytes(_) => 0,
        Reach::Line => 1,
        Reach::Open => 2,
    };
    let length = |reach: Reach| if let Reach::Bytes(bytes) = reach { bytes } else { 0 };
    let worst = anchors.iter().map(|anchor| kind(anchor.head)).max().unwrap_or_default();
    (worst, anchors.len(), anchors.iter().map(|anchor| length(anchor.head)).max().unwrap_or_default())
}

fn anchor(row: &[Hir], around: &Surroundings<'_>, keywords: Vec<(usize, usize)>) -> Anchor {
    let (tail, before) = (Hir::concat([row, around.rest].concat()), Hir::concat(around.head.to_vec()));
    Anchor { tail, before, head: reach(around.head), keywords }
}

fn reach(parts: &[Hir]) -> Reach {
    let lengths: Option<Vec<usize>> = parts.iter().map(|part| part.properties().maximum_len()).collect();
    match lengths {
        Some(lengths) => Reach::Bytes(lengths.iter().fold(0, |sum, length| sum.saturating_add(*length))),
        None if parts.iter().all(|part| !may_end_line(part)) => Reach::Line,
        None => Reach::Open,
    }
}

/// Whether a match may hold a newline.
fn may_end_line(part: &Hir) -> bool {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Bytes(class)) => class.ranges().iter().any(|r| r.start() <= b'\n' && b'\n' <= r.end()),
        HirKind::Class(Class::Unicode(class)) => class.ranges().iter().any(|r| r.start() <= '\n' && '\n' <= r.end()),
        HirKind::Repetition(repetition) => may_end_line(&repetition.sub),
        HirKind::Capture(capture) => may_end_line(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(may_end_line),
    }
}

/// How many parts from the first on spell a keyword in each of their texts, the fewest that do, and where it stands.
fn spelling_row(spelled: &[Option<Vec<Vec<u8>>>], keywords: &[Vec<u8>]) -> Option<(usize, Vec<(usize, usize)>)> {
    let mut texts = vec![Vec::new()];
    for (index, part) in spelled.iter().enumerate() {
        texts = product(&texts, part.as_ref()?)?;
        if let Some(places) = places(&texts, keywords) {
            return Some((index + 1, places));
        }
    }
    None
}

/// Where keywords stand in some texts, if each of them holds one.
fn places(texts: &[Vec<u8>], keywords: &[Vec<u8>]) -> Option<Vec<(usize, usize)>> {
    let mut places = BTreeSet::new();
    for text in texts {
        let text = lower(text);
        // One keyword of each text is enough: the first in the list, at its first place.
        // Both are short: it takes longer to prepare a search.
        let place = |keyword: &Vec<u8>| text.windows(keyword.len()).position(|part| part == keyword);
        let mut held = keywords.iter().enumerate().filter_map(|(number, keyword)| Some((number, place(keyword)?)));
        places.insert(held.next()?);
    }
    Some(places.into_iter().collect())
}

/// Every text that a part matches, in lower case, if these are few.
fn spell(part: &Hir) -> Option<Vec<Vec<u8>>> {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => letters(class),
        HirKind::Capture(capture) => spell(&capture.sub),
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |texts, part| product(&texts, &spell(part)?)),
        HirKind::Alternation(parts) => {
            let mut texts = Vec::new();
            for part in parts {
                texts.extend(spell(part)?);
            }
            limited(texts)
        }
        HirKind::Repetition(repetition) => {
            let max = repetition.max.filter(|max| *max <= 4)?;
            let once = spell(&repetition.sub)?;
            let mut power = vec![Vec::new()];
            let mut texts = Vec::new();
            for count in 0..=max {
                if count >= repetition.min {
                    texts.extend(power.iter().cloned());
                }
                power = product(&power, &once)?;
            }
            limited(texts)
        }
    }
}

fn letters(class: &Class) -> Option<Vec<Vec<u8>>> {
    let mut texts = BTreeSet::new();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                for byte in range.start()..=range.end() {
                    texts.insert(vec![byte.to_ascii_lowercase()]);
                    if texts.len() > MAX_LETTERS {
                        return None;
                    }
                }
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                for character in range.start()..=range.end() {
                    texts.insert(lower(character.encode_utf8(&mut [0; 4]).as_bytes()));
                    if texts.len() > MAX_LETTERS {
                        return None;
                    }
                }
            }
        }
    }
    Some(texts.into_iter().collect())
}

fn product(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len() * right.len() > MAX_TEXTS {
        return None;
    }
    limited(left.iter().flat_map(|left| right.iter().map(|right| [&left[..], right].concat())).collect())
}

fn limited(mut texts: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    texts.sort_unstable();
    texts.dedup();
    (texts.len() <= MAX_TEXTS && texts.iter().map(Vec::len).sum::<usize>() <= MAX_BYTES).then_some(texts)
}

/// What every match must begin with, as far as it takes few states to say: long repetitions end it.
pub(crate) fn probe(hir: &Hir) -> Hir {
    beginning(hir).0
}

/// The beginning, and whether it is all.
fn beginning(hir: &Hir) -> (Hir, bool) {
    match hir.kind() {
        HirKind::Capture(capture) => beginning(&capture.sub),
        HirKind::Concat(parts) => {
            let mut row = Vec::new();
            let mut all = true;
            for part in parts {
                let (part, whole) = beginning(part);
                row.push(part);
                all = whole;
                if !whole {
                    break;
                }
            }
            (Hir::concat(row), all)
        }
        HirKind::Alternation(parts) => {
            let parts: Vec<(Hir, bool)> = parts.iter().map(beginning).collect();
            let all = parts.iter().all(|(_, whole)| *whole);
            (Hir::alternation(parts.into_iter().map(|(part, _)| part).collect()), all)
        }
        HirKind::Repetition(repetition) => {
            let (sub, whole) = beginning(&repetition.sub);
            let short = whole && repetition.max.is_some_and(|max| max <= SHORT);
            let min = repetition.min.min(if whole { SHORT } else { 1 });
            let max = if short { repetition.max } else { Some(min) };
            (Hir::repetition(Repetition { min, max, greedy: repetition.greedy, sub: Box::new(sub) }), short)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => (hir.clone(), true),
    }
}

/// What every head must end with, as far as it takes few states to say, of at least one byte: long repetitions begin
/// it, those of a few letters are part of it. `None` if it may be nothing.
pub(crate) fn near(head: &Hir) -> Option<Hir> {
    let end = ending(head).0;
    end.properties().minimum_len().is_some_and(|bytes| bytes > 0).then_some(end)
}

/// The end, and whether it is all.
fn ending(hir: &Hir) -> (Hir, bool) {
    match hir.kind() {
        HirKind::Capture(capture) => ending(&capture.sub),
        HirKind::Concat(parts) => {
            let mut row = Vec::new();
            let mut all = true;
            for part in parts.iter().rev() {
                let (part, whole) = ending(part);
                row.insert(0, part);
                all = whole;
                if !whole {
                    break;
                }
            }
            (Hir::concat(row), all)
        }
        HirKind::Alternation(parts) => {
            let parts: Vec<(Hir, bool)> = parts.iter().map(ending).collect();
            let all = parts.iter().all(|(_, whole)| *whole);
            (Hir::alternation(parts.into_iter().map(|(part, _)| part).collect()), all)
        }
        HirKind::Repetition(repetition) if repetition.max.is_none() && is_narrow(&repetition.sub) => {
            (hir.clone(), repetition.min <= SHORT)
        }
        HirKind::Repetition(repetition) => {
            let (sub, whole) = ending(&repetition.sub);
            let short = whole && repetition.max.is_some_and(|max| max <= SHORT);
            let min = repetition.min.min(if whole { SHORT } else { 1 });
            let max = if short { repetition.max } else { Some(min) };
            (Hir::repetition(Repetition { min, max, greedy: repetition.greedy, sub: Box::new(sub) }), short)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => (hir.clone(), true),
    }
}

/// Whether a part is one of a few letters: what is read by it soon ends.
fn is_narrow(part: &Hir) -> bool {
    match part.kind() {
        HirKind::Class(class) => letters(class).is_some(),
        HirKind::Literal(literal) => literal.0.len() == 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tail, head, keywords.
    type Shown = (String, Reach, Vec<(usize, usize)>);

    fn of(regex: &str, keywords: &[&str]) -> Vec<Shown> {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex).unwrap();
        let keywords: Vec<String> = keywords.iter().map(|word| word.to_string()).collect();
        let shown = |anchor: Anchor| (anchor.tail.to_string(), anchor.head, anchor.keywords);
        anchors(&hir, &keywords).into_iter().map(shown).collect()
    }

    fn heads(regex: &str, keywords: &[&str]) -> Vec<Reach> {
        of(regex, keywords).into_iter().map(|(_, head, _)| head).collect()
    }

    #[test]
    fn the_tail_starts_at_the_keyword_and_takes_boundaries_along() {
        let anchors = of(r"x{0,9}(?i:\btok_)([0-9]+)(?:z|$)", &["tok_"]);
        assert_eq!(anchors.len(), 1);
        assert_eq!((anchors[0].1, anchors[0].2.clone()), (Reach::Bytes(9), vec![(0, 0)]));
        assert!(anchors[0].0.contains(r"\b"), "{}", anchors[0].0);
    }

    #[test]
    fn heads_end_with_what_is_cheap_to_ask() {
        let near = |regex: &str| {
            let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex).unwrap();
            near(&hir).map(|hir| hir.to_string().replace("(?-u:", "(?:"))
        };
        let same = |regex: &str, end: &str| {
            let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(end).unwrap();
            assert_eq!(near(regex), Some(hir.to_string().replace("(?-u:", "(?:")), "{regex}");
        };
        same(r"data:[^x]*\bkind:[ \t]*", r"\bkind:[ \t]*");
        same(r"a{3}[0-9]{2,90}=", "[0-9]{2}=");
        let letters = regex_syntax::Parser::new().parse(r"[^x]*(?i)kind:[ \t]*").unwrap();
        assert!(super::near(&letters).is_some());
        same(r"(?:[0-9]+ab|cd)", "(?:[0-9]ab|cd)");
        assert_eq!(near(r"[a-z]{0,50}"), None);
        assert_eq!(near(r"x[a-z]{0,50}"), None);
        assert_eq!(near(r"key[ \t]*(?:[a-z]{0,50}|=)"), None);
    }

    #[test]
    fn alternatives_need_a_keyword_each() {
        assert_eq!(of("(?:ab|cd)[0-9]", &["ab", "cd"])[0].2, [(0, 0), (1, 0)]);
        assert_eq!(heads("ab[0-9]+|[x-z]{5}cd", &["ab", "cd"]), [Reach::Bytes(0), Reach::Bytes(5)]);
        assert_eq!(heads("ab[0-9]+|[x-z]{3}", &["ab", "cd"]), []);
        assert_eq!(heads("(?:ab)?[0-9]+", &["ab"]), []);
        assert_eq!(heads("(?:ab){1,3}[0-9]+", &["ab"]), [Reach::Bytes(0)]);
    }

    #[test]
    fn heads_are_as_long_as_they_may_be() {
        assert_eq!(heads("[a-z ]*key", &["key"]), [Reach::Line]);
        assert_eq!(heads(r"\s+key", &["key"]), [Reach::Open]);
        assert_eq!(heads(r"key\s*[a-z]*secret", &["key", "secret"]), [Reach::Bytes(0)]);
        assert_eq!(heads("(?i)my-?(?:api)?key", &["key"]), [Reach::Bytes(0)]);
        assert_eq!(of("(?i)my-?key", &["key"])[0].2, [(0, 2), (0, 3)]);
    }

    #[test]
    fn probes_are_short_beginnings() {
        let hir =
            |regex: &str| regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex).unwrap();
        let cases = [
            ("key[a-z]{0,9}=", "key[a-z]{0,9}="),
            ("key=([a-z]{10,150});", "key=[a-z]{10}"),
            ("key=[a-z]+;", "key=[a-z]"),
            ("key=(?:[a-z]*x|1);", "key=(?:|1)"),
            ("key(?:=[a-z]{2,}){3,9}", "key=[a-z]{2}"),
        ];
        for (regex, expected) in cases {
            assert_eq!(probe(&hir(regex)).to_string(), hir(expected).to_string(), "{regex}");
        }
    }
}
