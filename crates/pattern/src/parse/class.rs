//! Sets of characters: `.`, `[…]`, `\d` and its kin, `[:alpha:]`, `\p{…}`.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::{Parser, escape};
use crate::error::PatternError;

/// Names between `[:` and `:]`, and their ASCII members.
const POSIX: [(&str, &[(u8, u8)]); 14] = [
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("ascii", &[(0, 0x7f)]),
    ("blank", &[(b'\t', b'\t'), (b' ', b' ')]),
    ("cntrl", &[(0, 0x1f), (0x7f, 0x7f)]),
    ("digit", DIGIT),
    ("graph", &[(b'!', b'~')]),
    ("lower", &[(b'a', b'z')]),
    ("print", &[(b' ', b'~')]),
    ("punct", &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')]),
    ("space", &[(b'\t', b'\r'), (b' ', b' ')]),
    ("upper", &[(b'A', b'Z')]),
    ("word", WORD),
    ("xdigit", &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
];
const DIGIT: &[(u8, u8)] = &[(b'0', b'9')];
const WORD: &[(u8, u8)] = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];
/// Without the vertical tab, unlike `[:space:]`.
const SPACE: &[(u8, u8)] = &[(b'\t', b'\n'), (b'\x0c', b'\r'), (b' ', b' ')];

/// Any character, line feeds only if `dot_all`.
pub(super) fn dot(dot_all: bool) -> ClassUnicode {
    let mut class = ClassUnicode::empty();
    if !dot_all {
        class.push(ClassUnicodeRange::new('\n', '\n'));
    }
    class.negate();
    class
}

/// `\d`, `\pL`, `\p{Greek}` … at the start of `text`, and its length. `at` is its offset.
pub(super) fn escaped(text: &str, fold: bool, at: usize) -> Result<Option<(ClassUnicode, usize)>, PatternError> {
    let (members, negated) = match text.as_bytes().get(..2) {
        Some(b"\\d") => (DIGIT, false),
        Some(b"\\D") => (DIGIT, true),
        Some(b"\\s") => (SPACE, false),
        Some(b"\\S") => (SPACE, true),
        Some(b"\\w") => (WORD, false),
        Some(b"\\W") => (WORD, true),
        Some(b"\\p" | b"\\P") => return property(text, fold, at).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((members_of(members, negated, fold), 2)))
}

fn members_of(members: &[(u8, u8)], negated: bool, fold: bool) -> ClassUnicode {
    let ranges = members.iter().map(|(start, end)| ClassUnicodeRange::new((*start).into(), (*end).into()));
    finished(ClassUnicode::new(ranges), negated, fold)
}

fn finished(mut class: ClassUnicode, negated: bool, fold: bool) -> ClassUnicode {
    if fold {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    class
}

/// `\pL`, `\p{Name}`, `\p{^Name}` and their opposites.
fn property(text: &str, fold: bool, at: usize) -> Result<(ClassUnicode, usize), PatternError> {
    let unknown = || PatternError::new(at, "this Unicode class is unknown");
    let (name, len) = match text[2..].strip_prefix('{') {
        Some(braced) => braced.split_once('}').map(|(name, _)| (name, name.len() + 4)).ok_or_else(unknown)?,
        None => text[2..].chars().next().map(|c| (&text[2..2 + c.len_utf8()], 2 + c.len_utf8())).ok_or_else(unknown)?,
    };
    let bare = name.strip_prefix('^').unwrap_or(name);
    let negated = text.starts_with("\\P") != (bare.len() < name.len());
    let plain = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || "_- ".contains(c));
    let class = if plain { ["gc", "sc"].into_iter().find_map(|kind| table(kind, bare)) } else { None };
    Ok((finished(class.ok_or_else(unknown)?, negated, fold), len))
}

/// The members of a general category or a script.
fn table(kind: &str, name: &str) -> Option<ClassUnicode> {
    let hir = regex_syntax::parse(&format!("\\p{{{kind}={name}}}")).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

impl Parser<'_> {
    /// `[…]`.
    pub(super) fn bracket(&mut self) -> Result<ClassUnicode, PatternError> {
        let start = self.at;
        let fold = self.flags.fold;
        self.at += 1;
        let negated = self.rest().starts_with('^');
        self.at += usize::from(negated);
        let mut ranges: Vec<ClassUnicodeRange> = Vec::new();
        let mut first = true;
        while first || !self.rest().starts_with(']') {
            first = false;
            if self.rest().is_empty() {
                return Err(PatternError::new(start, "this `[` is not closed"));
            }
            let maybe_posix = self.last_posix_end.is_some_and(|end| self.at < end);
            let posix = if maybe_posix { posix(self.rest(), fold, self.at)? } else { None };
            let named = match posix {
                None => escaped(self.rest(), fold, self.at)?,
                some => some,
            };
            if let Some((named, len)) = named {
                ranges.extend_from_slice(named.ranges());
                self.at += len;
            } else {
                ranges.extend(self.range(start)?);
            }
        }
        self.at += 1;
        let mut class = ClassUnicode::new(ranges);
        if fold {
            class.case_fold_simple();
        }
        if negated {
            class.negate();
        }
        Ok(class)
    }

    /// One character or `a-z`; nothing if there are only surrogates in it.
    fn range(&mut self, class_at: usize) -> Result<Option<ClassUnicodeRange>, PatternError> {
        let at = self.at;
        let low = self.class_character(class_at)?;
        let mut high = low;
        let rest = self.rest();
        if rest.starts_with('-') && rest.len() > 1 && !rest.starts_with("-]") {
            self.at += 1;
            high = self.class_character(class_at)?;
        }
        if high < low {
            return Err(PatternError::new(at, "this range is upside down"));
        }
        let low = char::from_u32(low).unwrap_or('\u{e000}');
        let high = char::from_u32(high).unwrap_or('\u{d7ff}');
        Ok((low <= high).then(|| ClassUnicodeRange::new(low, high)))
    }

    fn class_character(&mut self, class_at: usize) -> Result<u32, PatternError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err(PatternError::new(class_at, "this `[` is not closed"));
        };
        let (character, len) =
            if first == '\\' { escape::character(rest, self.at)? } else { (u32::from(first), first.len_utf8()) };
        self.at += len;
        Ok(character)
    }
}

/// `[:alpha:]` or `[:^alpha:]` at the start of `text`, and its length.
fn posix(text: &str, fold: bool, at: usize) -> Result<Option<(ClassUnicode, usize)>, PatternError> {
    let Some((name, _)) = text.strip_prefix("[:").and_then(|inner| inner.split_once(":]")) else { return Ok(None) };
    let bare = name.strip_prefix('^').unwrap_or(name);
    let Some((_, members)) = POSIX.iter().find(|(known, _)| *known == bare) else {
        return Err(PatternError::new(at, "this named class is unknown"));
    };
    Ok(Some((members_of(members, bare.len() < name.len(), fold), name.len() + 4)))
}
