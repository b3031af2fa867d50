//! The line of a finding with a mark below the secret, cut to what fits around it.

use std::ops::Range;

use super::super::Run;
use super::super::neutral::{show_char, width};
use super::{DIM, RED, paint};
use crate::finding::Finding;

/// What stands where an encoded secret would show.
const HIDDEN: &str = "REDACTED";

/// How many bytes before a match the engine shows at most.
const SHOWN_BEFORE: usize = 120;

/// The line and its mark, each ended by a newline; nothing for a finding about the file itself.
pub(super) fn lines(finding: &Finding, run: &Run<'_>) -> String {
    let number = finding.span.start_line.to_string();
    let Some(cut) = around(finding, run, run.style.width.saturating_sub(4 + number.len() + 3)) else {
        return String::new();
    };
    let mark = paint(&"^".repeat(columns(&cut.marked)), RED, run.style);
    let gutter = " ".repeat(number.len());
    let (bar, number) = (paint("|", DIM, run.style), paint(&number, DIM, run.style));
    let text = format!("{}{}{}", cut.before, cut.marked, cut.after);
    let blanks = " ".repeat(columns(&cut.before));
    format!("    {number} {bar} {}\n    {gutter} {bar} {blanks}{mark}\n", text.trim_end())
}

/// What is shown of a finding's line, in at most `room` columns; `None` for a finding about the file itself.
pub(in crate::report) fn around(finding: &Finding, run: &Run<'_>, room: usize) -> Option<Cut> {
    let (row, marked) = row(finding, run.shows_all())?;
    Some(cut(&row, marked, room.max(20)))
}

/// The row of the shown lines that holds the secret, and where in it the secret stands.
fn row(finding: &Finding, shows_all: bool) -> Option<(String, Range<usize>)> {
    let line = finding.line.as_str();
    if finding.span.start_line == 0 || line.trim().is_empty() {
        return None;
    }
    let secret = finding.secret.as_str();
    let at = nearest(finding, line);
    if at.is_none() && finding.decoded.is_some() && !shows_all {
        return Some(masked(finding, line));
    }
    let range = at.map_or(0..0, |at| at..at + secret.len());
    let start = line[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = line[range.start..].find('\n').map_or(line.len(), |at| range.start + at);
    let row = line[start..end].trim_end_matches('\r');
    Some((row.to_owned(), (range.start - start).min(row.len())..(range.end.min(end) - start).min(row.len())))
}

/// Where in the line the secret of this finding stands. Redaction moves columns and hides every secret alike, and a
/// long line begins later than its first column: the whole match tells, if it stands there once; else what is nearest
/// to the place where the match was.
fn nearest(finding: &Finding, line: &str) -> Option<usize> {
    let (secret, matched) = (finding.secret.as_str(), finding.matched.as_str());
    if secret.is_empty() {
        return None;
    }
    let inner = matched.find(secret).unwrap_or(0);
    let mut whole = line.match_indices(matched).map(|(at, _)| at + inner);
    if let (Some(only), None) = (whole.next(), whole.next()) {
        return Some(only);
    }
    let span = &finding.span;
    let hidden = (span.end_byte_column + 1).saturating_sub(span.start_byte_column);
    let one_line = span.start_line == span.end_line && finding.decoded.is_none();
    let moved = if one_line { hidden as i64 - matched.len() as i64 } else { 0 };
    let wanted = (span.start_byte_column.saturating_sub(1).min(SHOWN_BEFORE) + inner) as i64;
    let places = line.match_indices(secret).enumerate();
    let off = |(index, at): (usize, usize)| (at as i64 + index as i64 * moved - wanted).abs();
    places.map(|(index, (at, _))| (off((index, at)), at)).min().map(|(_, at)| at)
}

/// A line whose secret stands in it encoded: the encoded part is hidden too.
fn masked(finding: &Finding, line: &str) -> (String, Range<usize>) {
    let row = line.lines().next().unwrap_or_default();
    let offset = |column: usize| row.char_indices().nth(column).map_or(row.len(), |(at, _)| at);
    let start = offset(finding.span.start_column.saturating_sub(1));
    let one_line = finding.span.start_line == finding.span.end_line;
    let end = if one_line { offset(finding.span.end_column).max(start) } else { row.len() };
    (format!("{}{HIDDEN}{}", &row[..start], &row[end..]), start..start + HIDDEN.len())
}

/// A row cut to the room there is.
pub(in crate::report) struct Cut {
    /// Before the secret.
    pub(in crate::report) before: String,
    /// The secret, as far as it may be shown.
    pub(in crate::report) marked: String,
    /// Behind the secret.
    pub(in crate::report) after: String,
}

fn cut(row: &str, marked: Range<usize>, room: usize) -> Cut {
    let (head, rest) = row.split_at(marked.start);
    let (body, tail) = rest.split_at(marked.len());
    // A row that cannot fit is not measured: it may be a whole minified file.
    let fits = row.len() <= room * 4 && shown(head.trim_start()).1 + shown(body).1 + shown(tail).1 <= room;
    if fits {
        return Cut { before: shown(head.trim_start()).0, marked: shown(body).0, after: shown(tail).0 };
    }
    let (before, taken) = last(head, room / 3);
    let left = room.saturating_sub(taken);
    let (marked, taken) = first(body, left.saturating_sub(4).max(8));
    Cut { before, marked, after: first(tail, left.saturating_sub(taken)).0 }
}

/// Columns that harmless text takes.
fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Text made harmless, and the columns it takes.
fn shown(text: &str) -> (String, usize) {
    first(text, usize::MAX)
}

/// As much of the beginning as fits, with `…` where it was cut.
fn first(text: &str, room: usize) -> (String, usize) {
    let (mut out, mut columns) = (String::new(), 0);
    for character in text.chars() {
        let piece = piece(character);
        let wide: usize = piece.chars().map(width).sum();
        if columns + wide + 1 > room {
            out.push('…');
            return (out, columns + 1);
        }
        out.push_str(&piece);
        columns += wide;
    }
    (out, columns)
}

/// As much of the end as fits, with `…` where it was cut.
fn last(text: &str, room: usize) -> (String, usize) {
    let (mut pieces, mut columns) = (Vec::new(), 0);
    for character in text.chars().rev() {
        let piece = piece(character);
        let wide: usize = piece.chars().map(width).sum();
        if columns + wide + 1 > room {
            pieces.push("…".to_owned());
            columns += 1;
            break;
        }
        pieces.push(piece);
        columns += wide;
    }
    pieces.reverse();
    let text = pieces.concat();
    let trimmed = text.trim_start();
    (trimmed.to_owned(), columns - (text.len() - trimmed.len()))
}

/// A character as it is shown in a row: a tab is one blank, whatever acts is written out.
fn piece(character: char) -> String {
    let mut out = String::new();
    if character == '\t' {
        out.push(' ')
    } else {
        show_char(character, &mut out)
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(row: &str, secret: &str, room: usize) -> (String, String) {
        let at = row.find(secret).unwrap();
        let cut = cut(row, at..at + secret.len(), room);
        let mark = " ".repeat(columns(&cut.before)) + &"^".repeat(columns(&cut.marked));
        (cut.before + &cut.marked + &cut.after, mark)
    }

    #[test]
    fn a_row_that_fits_is_whole() {
        let (text, mark) = both("\t a = \u{1b}[1m\"漢REDACTED\"", "REDACTED", 60);
        assert_eq!(text, r#"a = \x1b[1m"漢REDACTED""#);
        assert_eq!(mark, "              ^^^^^^^^");
    }

    #[test]
    fn a_long_row_is_cut_around_the_secret() {
        let row = "x".repeat(500) + "REDACTED" + &"y".repeat(500);
        let (text, mark) = both(&row, "REDACTED", 40);
        assert_eq!(text, "…xxxxxxxxxxxxREDACTEDyyyyyyyyyyyyyyyyyy…");
        assert_eq!(mark, "             ^^^^^^^^");
        let secret = "s".repeat(300);
        let (text, mark) = both(&format!("a{secret}b"), &secret, 40);
        assert!(text.chars().count() <= 40 && mark.len() <= 40, "{text}\n{mark}");
    }
}
