//! Go's grammar, read without recursion: groups are a stack of their own.

mod class;
mod escape;
mod item;
mod repeat;

use regex_syntax::hir::{Capture, Hir, Look};

use crate::error::{PatternError, Warning};
use item::{Item, Piece};

/// Compiled states that one pattern may need: 35 bytes each at most, as measured. Real rules stay far below.
const LARGEST: usize = 1_000_000;
/// Bytes of a pattern's text; while it is read each takes some eighty.
const LONGEST: usize = 256 << 10;
/// Groups within groups; compiling recurses as deep.
const DEEPEST: usize = 250;

/// A pattern that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) hir: Hir,
    pub(crate) groups: usize,
    pub(crate) cost: usize,
    pub(crate) leaks_flags: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// Reads a whole pattern.
pub(crate) fn parse(source: &str) -> Result<Parsed, PatternError> {
    if source.len() > LONGEST {
        return Err(PatternError::new(0, format!("it is longer than {LONGEST} bytes")));
    }
    let mut parser = Parser {
        source,
        at: 0,
        flags: Flags::default(),
        groups: 0,
        stack: Vec::new(),
        open: Open::default(),
        after_repeat: false,
        single_cost: 0,
        last_posix_end: source.rfind(":]"),
        warnings: Vec::new(),
    };
    while parser.at < source.len() {
        let repeated = parser.step()?;
        parser.after_repeat = repeated;
    }
    if let Some(outer) = parser.stack.last() {
        return Err(PatternError::new(outer.inner_at, "this group is not closed"));
    }
    let leaks_flags = parser.flags != Flags::default();
    let whole = std::mem::take(&mut parser.open).close();
    let cost = whole.cost;
    if cost > LARGEST {
        return Err(too_large(0));
    }
    let hir = whole.item.into_hir();
    Ok(Parsed { hir, groups: parser.groups, cost, leaks_flags, warnings: parser.warnings })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_all: bool,
    lazy: bool,
}

/// A group that is being read: alternatives so far, and the sequence at hand.
#[derive(Default)]
struct Open {
    branches: Vec<Piece>,
    sequence: Vec<Piece>,
}

impl Open {
    fn end_branch(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        self.branches.push(Piece::sequence(sequence));
    }

    fn close(mut self) -> Piece {
        self.end_branch();
        Piece::alternation(self.branches)
    }
}

/// What waits while a group inside it is read.
struct Outer {
    open: Open,
    flags: Flags,
    /// Number of the inner group, if it captures.
    capture: Option<usize>,
    /// Where the inner group begins.
    inner_at: usize,
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
    flags: Flags,
    groups: usize,
    stack: Vec<Outer>,
    open: Open,
    after_repeat: bool,
    /// Of all characters and classes, each counted once.
    single_cost: usize,
    /// Where the last `:]` stands, so that none is looked for in vain again and again.
    last_posix_end: Option<usize>,
    warnings: Vec<Warning>,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    /// Reads one thing; true if it was a repetition.
    fn step(&mut self) -> Result<bool, PatternError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(false) };
        match first {
            '(' if rest.starts_with("(?") => self.flags_or_group()?,
            '(' => {
                self.groups += 1;
                self.begin_group(1, Some(self.groups))?;
            }
            ')' => self.end_group()?,
            '|' => {
                self.at += 1;
                self.open.end_branch();
            }
            '^' => self.look(1, if self.flags.multi_line { Look::StartLF } else { Look::Start }),
            '$' => self.look(1, if self.flags.multi_line { Look::EndLF } else { Look::End }),
            '.' => {
                self.at += 1;
                self.push(Item::Class(class::dot(self.flags.dot_all)))?;
            }
            '[' => {
                let class = self.bracket()?;
                self.push(Item::Class(class))?;
            }
            '*' | '+' | '?' => {
                self.operator(first)?;
                return Ok(true);
            }
            '{' => return self.braces(),
            '\\' => self.escape()?,
            _ => {
                self.at += first.len_utf8();
                self.literal(u32::from(first))?;
            }
        }
        Ok(false)
    }

    fn look(&mut self, len: usize, look: Look) {
        self.at += len;
        self.open.sequence.push(Piece::look(look));
    }

    fn literal(&mut self, character: u32) -> Result<(), PatternError> {
        self.push(item::literal(character, self.flags.fold))
    }

    fn push(&mut self, item: Item) -> Result<(), PatternError> {
        let piece = Piece::single(item);
        self.single_cost += piece.cost;
        if self.single_cost > LARGEST {
            return Err(too_large(self.at));
        }
        self.open.sequence.push(piece);
        Ok(())
    }

    fn begin_group(&mut self, len: usize, capture: Option<usize>) -> Result<(), PatternError> {
        if self.stack.len() >= DEEPEST {
            return Err(PatternError::new(self.at, format!("groups are nested deeper than {DEEPEST}")));
        }
        let open = std::mem::take(&mut self.open);
        self.stack.push(Outer { open, flags: self.flags, capture, inner_at: self.at });
        self.at += len;
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), PatternError> {
        let Some(outer) = self.stack.pop() else {
            return Err(PatternError::new(self.at, "a `)` that closes nothing"));
        };
        self.at += 1;
        self.flags = outer.flags;
        let mut piece = std::mem::replace(&mut self.open, outer.open).close();
        if piece.cost > LARGEST {
            return Err(too_large(outer.inner_at));
        }
        if let Some(number) = outer.capture {
            let index = u32::try_from(number).expect("a pattern has fewer groups than bytes");
            let capture = Capture { index, name: None, sub: Box::new(piece.item.into_hir()) };
            piece.item = Item::Tree(Hir::capture(capture));
            piece.cost = piece.cost.saturating_add(2);
        }
        self.open.sequence.push(piece);
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
    fn flags_or_group(&mut self) -> Result<(), PatternError> {
        let rest = self.rest();
        if let Some(head) = ["(?P<", "(?<"].into_iter().find(|head| rest.starts_with(head)) {
            let look_behind = rest.starts_with("(?<=") || rest.starts_with("(?<!");
            let name = rest[head.len()..].split_once('>').map(|(name, _)| name);
            let valid = |name: &&str| !name.is_empty() && name.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric());
            let Some(name) = name.filter(valid) else {
                let why =
                    if look_behind { "look-behind is not supported" } else { "the name of this group is invalid" };
                return Err(PatternError::new(self.at, why));
            };
            self.groups += 1;
            return self.begin_group(head.len() + name.len() + 1, Some(self.groups));
        }
        let (flags, len, opens) =
            self.flags.changed(rest).ok_or_else(|| PatternError::new(self.at, perl_only(rest)))?;
        if opens {
            self.begin_group(len, None)?;
        } else {
            self.at += len;
        }
        self.flags = flags;
        Ok(())
    }
}

impl Flags {
    /// Reads `(?i-s:` or `(?i-s)` at the start of `text`: the new flags, its length, and whether a group opens.
    fn changed(self, text: &str) -> Option<(Self, usize, bool)> {
        let (mut flags, mut on, mut need_flag) = (self, true, false);
        for (at, letter) in text.char_indices().skip(2) {
            let flag = match letter {
                'i' => &mut flags.fold,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_all,
                'U' => &mut flags.lazy,
                '-' if on => {
                    (on, need_flag) = (false, true);
                    continue;
                }
                ':' | ')' if !need_flag => return Some((flags, at + 1, letter == ':')),
                _ => return None,
            };
            *flag = on;
            need_flag = false;
        }
        None
    }
}

/// Why what follows `(?` is not understood.
fn perl_only(text: &str) -> &'static str {
    match text.as_bytes().get(2) {
        Some(b'=' | b'!') => "look-ahead is not supported",
        Some(b'>') => "atomic groups are not supported",
        Some(b'#') => "comments are not supported",
        Some(b'x') => "the flag x is not supported",
        _ => "what follows `(?` is not understood",
    }
}

fn too_large(at: usize) -> PatternError {
    PatternError::new(at, format!("it is too large: its repetitions written out need more than {LARGEST} states"))
}
