//! What a pattern is made of while it is read, and what each part will cost.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, Look};
use regex_syntax::utf8::Utf8Sequences;

/// One part. Classes stay classes as long as possible, so that alternatives and repetitions can see them.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// One code point, or an invalid byte if the class holds U+FFFD, which Go reads for one.
    Class(ClassUnicode),
    /// Anything else.
    Tree(Hir),
}

/// A part and its weights.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) item: Item,
    /// States it compiles to, at most.
    pub(super) cost: usize,
    /// Greatest product of counted repetitions within each other; Go takes up to 1000.
    pub(super) counted: usize,
}

/// A character as it is written in a pattern; surrogates match nothing.
pub(super) fn literal(character: u32, fold: bool) -> Item {
    let mut class = ClassUnicode::empty();
    if let Some(character) = char::from_u32(character) {
        class.push(ClassUnicodeRange::new(character, character));
    }
    if fold {
        class.case_fold_simple();
    }
    Item::Class(class)
}

impl Piece {
    pub(super) fn single(item: Item) -> Self {
        let cost = match &item {
            Item::Class(class) => class_cost(class),
            Item::Tree(_) => 1,
        };
        Self { item, cost, counted: 1 }
    }

    pub(super) fn look(look: Look) -> Self {
        Self { item: Item::Tree(Hir::look(look)), cost: 1, counted: 1 }
    }

    pub(super) fn sequence(mut pieces: Vec<Self>) -> Self {
        if pieces.len() == 1 {
            return pieces.remove(0);
        }
        let (cost, counted) = weights(&pieces);
        let trees = pieces.into_iter().map(|piece| piece.item.into_hir()).collect();
        Self { item: Item::Tree(Hir::concat(trees)), cost, counted }
    }

    /// Alternatives that are all single classes are one class, as in Go: `(?:.|\n)` is any character.
    pub(super) fn alternation(mut pieces: Vec<Self>) -> Self {
        if pieces.len() == 1 {
            return pieces.remove(0);
        }
        let (cost, counted) = weights(&pieces);
        if pieces.iter().all(|piece| matches!(piece.item, Item::Class(_))) {
            let mut whole = ClassUnicode::empty();
            for piece in &pieces {
                if let Item::Class(class) = &piece.item {
                    whole.union(class);
                }
            }
            return Self::single(Item::Class(whole));
        }
        let trees = pieces.into_iter().map(|piece| piece.item.into_hir()).collect();
        Self { item: Item::Tree(Hir::alternation(trees)), cost, counted }
    }
}

fn weights(pieces: &[Piece]) -> (usize, usize) {
    let cost = pieces.iter().fold(pieces.len(), |sum, piece| sum.saturating_add(piece.cost));
    (cost, pieces.iter().map(|piece| piece.counted).max().unwrap_or(1))
}

impl Item {
    /// The tree.
    pub(super) fn into_hir(self) -> Hir {
        match self {
            Self::Class(class) => one_code_point(class),
            Self::Tree(hir) => hir,
        }
    }

    /// The same for something that repeats without a limit: wildcards go byte by byte, which is faster and, taken
    /// together, the same text.
    pub(super) fn into_unlimited_hir(self) -> Hir {
        match self {
            Self::Class(class) if takes_all_beyond_ascii(&class) => Hir::class(Class::Bytes(bytewise(&class))),
            other => other.into_hir(),
        }
    }
}

/// A class that holds U+FFFD takes invalid bytes too, but none that is part of a character the class leaves out: so it
/// cannot take such a character in pieces.
fn one_code_point(class: ClassUnicode) -> Hir {
    let replacement = holds_replacement(&class);
    if let Some(literal) = single(&class).filter(|_| !replacement) {
        return Hir::literal(literal.to_string().into_bytes());
    }
    let invalid = replacement.then(|| invalid_bytes(&class));
    let tree = Hir::class(Class::Unicode(class));
    match invalid {
        Some(invalid) => Hir::alternation(vec![tree, Hir::class(Class::Bytes(invalid))]),
        None => tree,
    }
}

fn invalid_bytes(class: &ClassUnicode) -> ClassBytes {
    let mut out = class.clone();
    out.negate();
    let sequences = out.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
    let mut taken = ClassBytes::new([ClassBytesRange::new(0, 0x7f)]);
    for sequence in sequences {
        sequence.as_slice().iter().for_each(|part| taken.push(ClassBytesRange::new(part.start, part.end)));
    }
    taken.negate();
    taken
}

fn single(class: &ClassUnicode) -> Option<char> {
    match class.ranges() {
        [range] if range.start() == range.end() => Some(range.start()),
        _ => None,
    }
}

fn holds_replacement(class: &ClassUnicode) -> bool {
    class.ranges().iter().any(|range| range.start() <= '\u{fffd}' && '\u{fffd}' <= range.end())
}

fn takes_all_beyond_ascii(class: &ClassUnicode) -> bool {
    class.ranges().last().is_some_and(|range| range.start() <= '\u{80}' && range.end() == char::MAX)
}

fn bytewise(class: &ClassUnicode) -> ClassBytes {
    let byte = |character: char| u8::try_from(u32::from(character)).unwrap_or(u8::MAX);
    let ranges = class.ranges().iter().filter(|range| range.start().is_ascii());
    let mut bytes = ClassBytes::new(ranges.map(|range| {
        let end = if range.end().is_ascii() { byte(range.end()) } else { 0x7f };
        ClassBytesRange::new(byte(range.start()), end)
    }));
    bytes.push(ClassBytesRange::new(0x80, 0xff));
    bytes
}

fn class_cost(class: &ClassUnicode) -> usize {
    let last = class.ranges().last().map(|range| range.end());
    if last.is_none_or(|last| last.is_ascii()) {
        return 1 + class.ranges().len() / 4;
    }
    let sequences = class.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
    2 + sequences.map(|sequence| sequence.len()).sum::<usize>()
}
