//! Tables with a header: the cells below `password`, `token` and their kin.

use std::ops::Range;

use super::lines;
use crate::classify::judge;
use crate::classify::name::{Kind, Name};
use crate::detect::{Detected, Look};
use crate::finding::{Confidence, Severity};

/// Longest header, in bytes.
const LONGEST: usize = 4096;

/// Looks at the cells of telling columns.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let mut rows = lines(text);
    let Some(header) = rows.next().filter(|header| header.len() <= LONGEST) else { return };
    let count = |sign: &u8| memchr::memchr_iter(*sign, &text[header.clone()]).count();
    let Some(sign) = [b',', b';', b'\t', b'|'].into_iter().max_by_key(count).filter(|sign| count(sign) > 0) else {
        return;
    };
    let kinds: Vec<Option<Kind>> = cells(text, header, sign).map(|cell| kind(&text[cell])).collect();
    let Some(last) = kinds.iter().rposition(Option::is_some) else { return };
    for row in rows {
        let cells = cells(text, row, sign).take(last + 1);
        for (cell, kind) in cells.zip(&kinds) {
            out.extend(kind.and_then(|kind| found(text, cell, kind, look.place.is_sample)));
        }
    }
}

/// What a column of this name holds.
fn kind(name: &[u8]) -> Option<Kind> {
    Name::of(name).kind().filter(|kind| matches!(kind, Kind::Password | Kind::Secret))
}

fn found(text: &[u8], secret: Range<usize>, kind: Kind, is_sample: bool) -> Option<Detected> {
    let value = &text[secret.clone()];
    // Applications keep no passwords but digests of them.
    if kind == Kind::Password && value.len() >= 32 && value.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let sure = judge(kind, value).filter(|sure| *sure > Confidence::Low)?;
    let confidence = if is_sample { Confidence::Low } else { sure };
    let rule = if kind == Kind::Password { "generic-password" } else { "generic-secret" };
    Some(Detected { rule, matched: secret.clone(), secret, confidence, severity: Severity::High })
}

/// The cells of a row, without their quotes; one that goes on in the next row ends with this one.
fn cells(text: &[u8], row: Range<usize>, sign: u8) -> impl Iterator<Item = Range<usize>> {
    let mut at = Some(row.start);
    std::iter::from_fn(move || {
        let start = at?;
        let rest = &text[start..row.end];
        let close = rest.first().filter(|byte| **byte == b'"').and_then(|_| memchr::memchr(b'"', &rest[1..]));
        let from = close.map_or(0, |close| close + 2);
        let length = memchr::memchr(sign, &rest[from..]).map(|length| from + length);
        at = length.map(|length| start + length + 1);
        Some(match close {
            Some(close) => start + 1..start + 1 + close,
            None => start..start + length.unwrap_or(rest.len()),
        })
    })
}
