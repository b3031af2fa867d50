//! Texts: case, trimming, cutting, joining lines.

use std::collections::BTreeMap;

use super::super::machine::{ENTRY, MOST, Machine, Outcome};
use super::super::value::Value;
use super::{ANY, Function, count, function, integer, need_text, text_of};

pub(super) const FUNCTIONS: &[Function] = &[
    function("toString", 1, 1, |machine, values| Ok(Value::Text(text_of(&values[0], machine)?))),
    function("upper", 1, 1, |machine, values| change(machine, values, str::to_uppercase)),
    function("lower", 1, 1, |machine, values| change(machine, values, str::to_lowercase)),
    function("title", 1, 1, |machine, values| change(machine, values, title)),
    function("untitle", 1, 1, |machine, values| change(machine, values, untitle)),
    function("trim", 1, 1, |machine, values| change(machine, values, |text| text.trim().to_owned())),
    function("trimAll", 2, 2, trim_all),
    function("trimall", 2, 2, trim_all),
    function("trimSuffix", 2, 2, |machine, values| {
        let (suffix, text) = (need_text(&values[0])?, need_text(&values[1])?);
        machine.text(text.strip_suffix(suffix).unwrap_or(text).to_owned())
    }),
    function("trimPrefix", 2, 2, |machine, values| {
        let (prefix, text) = (need_text(&values[0])?, need_text(&values[1])?);
        machine.text(text.strip_prefix(prefix).unwrap_or(text).to_owned())
    }),
    function("nospace", 1, 1, |machine, values| {
        change(machine, values, |text| text.chars().filter(|character| !character.is_whitespace()).collect())
    }),
    function("initials", 1, 1, |machine, values| {
        change(machine, values, |text| text.split_whitespace().filter_map(|word| word.chars().next()).collect())
    }),
    function("repeat", 2, 2, |machine, values| {
        let (times, text) = (count(&values[0])?, text_of(&values[1], machine)?);
        machine.check_length(times.saturating_mul(text.len()))?;
        machine.text(text.repeat(times))
    }),
    function("substr", 3, 3, substr),
    function("trunc", 2, 2, |machine, values| {
        let (length, text) = (integer(&values[0]), need_text(&values[1])?);
        let all = text.len();
        let wanted = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX).min(all);
        let part = if length < 0 {
            &text[text.ceil_char_boundary(all - wanted)..]
        } else {
            &text[..text.floor_char_boundary(wanted)]
        };
        machine.text(part.to_owned())
    }),
    function("abbrev", 2, 2, |machine, values| {
        let (width, text) = (count(&values[0])?, need_text(&values[1])?);
        if width < 4 || text.len() <= width {
            return machine.text(text.to_owned());
        }
        machine.text(format!("{}...", &text[..text.floor_char_boundary(width - 3)]))
    }),
    function("contains", 2, 2, |_, values| Ok(Value::Bool(need_text(&values[1])?.contains(need_text(&values[0])?)))),
    function("hasPrefix", 2, 2, |_, values| {
        Ok(Value::Bool(need_text(&values[1])?.starts_with(need_text(&values[0])?)))
    }),
    function("hasSuffix", 2, 2, |_, values| Ok(Value::Bool(need_text(&values[1])?.ends_with(need_text(&values[0])?)))),
    function("indent", 2, 2, |machine, values| indent(machine, values, "")),
    function("nindent", 2, 2, |machine, values| indent(machine, values, "\n")),
    function("replace", 3, 3, |machine, values| {
        let (old, new, text) = (need_text(&values[0])?, need_text(&values[1])?, need_text(&values[2])?);
        machine.spend(text.len())?;
        let hits = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
        machine.check_length(text.len().saturating_add(hits.saturating_mul(new.len())))?;
        machine.text(text.replace(old, new))
    }),
    function("plural", 3, 3, |_, values| Ok(values[usize::from(integer(&values[2]) != 1)].clone())),
    function("split", 2, 2, |machine, values| {
        let (separator, text) = (need_text(&values[0])?, need_text(&values[1])?);
        numbered(machine, pieces(text, separator, usize::MAX))
    }),
    function("splitn", 3, 3, |machine, values| {
        let (separator, most, text) = (need_text(&values[0])?, count(&values[1])?, need_text(&values[2])?);
        numbered(machine, pieces(text, separator, most))
    }),
    function("splitList", 2, 2, |machine, values| {
        let (separator, text) = (need_text(&values[0])?, need_text(&values[1])?);
        machine.spend(text.len())?;
        machine.list(pieces(text, separator, usize::MAX).into_iter().map(Value::text).collect())
    }),
    function("base", 1, 1, |machine, values| change(machine, values, base)),
    function("dir", 1, 1, |machine, values| change(machine, values, dir)),
    function("ext", 1, 1, |machine, values| change(machine, values, ext)),
    function("clean", 1, 1, |machine, values| change(machine, values, clean)),
    function("isAbs", 1, 1, |_, values| Ok(Value::Bool(need_text(&values[0])?.starts_with('/')))),
    function("wrap", 2, 2, |machine, values| {
        let (width, text) = (count(&values[0])?, need_text(&values[1])?);
        machine.text(wrap(text, width))
    }),
    function("lines", 1, ANY, |machine, values| {
        machine.list(need_text(&values[0])?.lines().take(MOST + 1).map(Value::text).collect())
    }),
];

fn change(machine: &mut Machine<'_>, values: &[Value], change: fn(&str) -> String) -> Outcome {
    let text = need_text(&values[0])?;
    machine.spend(text.len())?;
    machine.text(change(text))
}

/// A capital where a word begins, as Go's old `strings.Title` tells words.
fn title(text: &str) -> String {
    let mut in_word = false;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let is_part =
            character == '_' || character.is_alphanumeric() || (!character.is_ascii() && !character.is_whitespace());
        if in_word {
            out.push(character)
        } else {
            out.extend(character.to_uppercase())
        }
        in_word = is_part;
    }
    out
}

fn untitle(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_lowercase).into_iter().flatten();
    first.chain(characters).collect()
}

fn trim_all(machine: &mut Machine<'_>, values: &[Value]) -> Outcome {
    let set = need_text(&values[0])?;
    machine.text(need_text(&values[1])?.trim_matches(|character| set.contains(character)).to_owned())
}

fn substr(machine: &mut Machine<'_>, values: &[Value]) -> Outcome {
    let text = need_text(&values[2])?;
    let (start, end) = (integer(&values[0]), integer(&values[1]));
    let place = |offset: i64| text.floor_char_boundary(usize::try_from(offset).unwrap_or(0).min(text.len()));
    let start = place(start);
    let end = if end < 0 { text.len() } else { place(end).max(start) };
    machine.text(text[start..end].to_owned())
}

fn indent(machine: &mut Machine<'_>, values: &[Value], before: &str) -> Outcome {
    let (blanks, text) = (count(&values[0])?, text_of(&values[1], machine)?);
    let lines = text.matches('\n').count() + 1;
    machine.check_length(text.len().saturating_add(lines.saturating_mul(blanks)))?;
    let pad = " ".repeat(blanks);
    machine.text(format!("{before}{pad}{}", text.replace('\n', &format!("\n{pad}"))))
}

/// At most `most` pieces; an empty separator parts characters.
fn pieces<'t>(text: &'t str, separator: &str, most: usize) -> Vec<&'t str> {
    if separator.is_empty() {
        return text
            .char_indices()
            .take(MOST + 1)
            .map(|(at, character)| &text[at..at + character.len_utf8()])
            .collect();
    }
    text.splitn(most.clamp(1, MOST + 1), separator).collect()
}

/// sprig's form of pieces: a map with the keys `_0`, `_1`, …
fn numbered(machine: &mut Machine<'_>, pieces: Vec<&str>) -> Outcome {
    machine.spend(pieces.len() * ENTRY)?;
    let map: BTreeMap<_, _> =
        pieces.into_iter().enumerate().map(|(index, piece)| (format!("_{index}"), Value::text(piece))).collect();
    Ok(Value::Map(std::rc::Rc::new(std::cell::RefCell::new(map))))
}

fn base(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".".to_owned(),
        (_, true) => "/".to_owned(),
        _ => trimmed.rsplit('/').next().unwrap_or(trimmed).to_owned(),
    }
}

fn dir(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

fn ext(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').map_or("", |dot| &name[dot..]).to_owned()
}

/// The shortest path that means the same.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// Lines of at most `width` characters where blanks allow it.
fn wrap(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split(' ') {
            let long = word.chars().count();
            if length > 0 && length + 1 + long > width {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += long;
        }
        lines.push(line);
    }
    lines.join("\n")
}
