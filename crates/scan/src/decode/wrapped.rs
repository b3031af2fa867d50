//! Base64 over several lines of one width, as in PEM files, YAML blocks and mails.

use std::ops::Range;

use super::Findings;
use super::base64::{Content, append, padding, reveal};
use super::runs::Class;

/// Narrower lines are lists of something.
const NARROWEST: usize = 40;
/// Widths at which programs wrap; others need two lines of one width and a shorter last one.
const WIDTHS: [usize; 6] = [60, 64, 70, 72, 76, 80];

/// The letters of each line of a block that begins with `first`, and whether it looks wrapped and not like a list.
pub(super) fn lines(text: &[u8], first: &Range<usize>, class: &Class) -> (Vec<Range<usize>>, bool) {
    let mut lines = vec![first.clone()];
    let mut end = first.end;
    while let Some(line) = next_line(text, end, class) {
        let last = line.len() < first.len() || text.get(line.end) == Some(&b'=');
        if line.len() > first.len() {
            break;
        }
        end = line.end;
        lines.push(line);
        if last {
            break;
        }
    }
    let shorter = lines.last().is_some_and(|last| last.len() < first.len() || text.get(last.end) == Some(&b'='));
    let usual = WIDTHS.contains(&first.len()) && lines.len() > 1;
    let wrapped = usual || shorter && lines.len() > 2 && first.len() >= NARROWEST;
    (lines, wrapped)
}

/// The letters of the line after the one that ends at `end`, if it holds nothing else.
fn next_line(text: &[u8], end: usize, class: &Class) -> Option<Range<usize>> {
    let rest = text.get(end..)?;
    let line_break = match rest {
        [b'\n', ..] => 1,
        [b'\r', b'\n', ..] => 2,
        _ => return None,
    };
    let blanks = rest[line_break..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let start = end + line_break + blanks;
    let len = text[start..].iter().take_while(|byte| class[usize::from(**byte)]).count();
    let after = start + len + padding(text, start + len, 0);
    let alone = matches!(text.get(after), None | Some(b'\n' | b'\r'));
    (len > 0 && alone).then_some(start..start + len)
}

/// Decodes the block as one; each line becomes a segment, so that places stay exact. False if it is no text.
pub(super) fn decode(text: &[u8], lines: &[Range<usize>], content: Content, out: &mut Findings) -> bool {
    let letters: Vec<u8> = lines.iter().flat_map(|line| &text[line.clone()]).copied().collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return false };
    if letters.len() % 4 == 1 {
        return false;
    }
    let end = last.end + padding(text, last.end, letters.len());
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 3);
    append(&letters, &mut bytes);
    let Some(revealed) = reveal(bytes, content, out) else { return false };
    if content != Content::Text {
        out.push(first.start..end, &revealed);
        return true;
    }
    let (mut read, mut given) = (0, 0);
    for (index, line) in lines.iter().enumerate() {
        read += line.len();
        let next = lines.get(index + 1);
        let upto = if next.is_some() { (read * 3).div_ceil(4).min(revealed.len()) } else { revealed.len() };
        let original = line.start..next.map_or(end, |next| next.start);
        out.push(original, &revealed[given..upto]);
        given = upto;
    }
    true
}
