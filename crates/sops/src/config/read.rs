//! Reading typed fields out of a configuration tree, with places in errors.

use std::cell::Cell;
use std::collections::HashSet;

use document::{Document, Element, Entry, Item, Map, Node, Value};

use super::ConfigError;

pub(super) struct Reader<'a> {
    pub(super) doc: &'a Document,
    pub(super) strict: bool,
    pub(super) checks_recipients: bool,
    /// A place and its line, from which the lines of later places are counted.
    pub(super) seen: Cell<(usize, usize)>,
}

impl Reader<'_> {
    /// The line of a place, from 1. Asked in order, all of a file costs one pass over it.
    pub(super) fn line(&self, place: u32) -> usize {
        let (source, place) = (self.doc.source.expose(), place as usize);
        let (from, line) = if self.seen.get().0 <= place { self.seen.get() } else { (0, 1) };
        let ends = |at: &usize| source[*at] == b'\n' || (source[*at] == b'\r' && source.get(at + 1) != Some(&b'\n'));
        let line = line + (from..place.min(source.len())).filter(ends).count();
        self.seen.set((place, line));
        line
    }

    /// The column of a place, from 1, in bytes.
    pub(super) fn column(&self, place: u32) -> usize {
        let source = self.doc.source.expose();
        let before = &source[..source.len().min(place as usize)];
        before.iter().rev().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count() + 1
    }

    pub(super) fn error(&self, node: &Node, what: impl Into<String>) -> ConfigError {
        let span = node.alias.map_or(node.site.span, |alias| alias.span);
        ConfigError { at: Some(self.doc.place(span.start)), what: what.into(), hint: None }
    }

    /// An unknown field: an error that names the field that was probably meant.
    pub(super) fn unknown(&self, entry: &Entry, known: &[&str]) -> Result<(), ConfigError> {
        if !self.strict {
            return Ok(());
        }
        let hint = match close_names(&entry.key, known) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("known fields: {}", known.join(", ")),
        };
        let at = Some(self.doc.place(entry.key_span.start));
        Err(ConfigError { at, what: format!("unknown field {:?}", entry.key), hint: Some(hint) })
    }

    /// Fields that a part of the file does not know, if any.
    pub(super) fn only(&self, map: &Map, known: &[&str]) -> Result<(), ConfigError> {
        let mut others = map.entries().filter(|entry| !known.contains(&&*entry.key));
        others.try_for_each(|entry| self.unknown(entry, known))
    }

    pub(super) fn map<'n>(&self, node: &'n Node, name: &str) -> Result<&'n Map, ConfigError> {
        node.value
            .as_map()
            .ok_or_else(|| self.error(node, format!("{name} must be a map, not a {}", node.value.kind())))
    }

    pub(super) fn list<'n>(&self, node: &'n Node, name: &str) -> Result<Vec<&'n Node>, ConfigError> {
        match &node.value {
            Value::Null => Ok(Vec::new()),
            Value::List(list) => Ok(list.nodes().collect()),
            other => Err(self.error(node, format!("{name} must be a list, not a {}", other.kind()))),
        }
    }

    pub(super) fn text(&self, node: &Node, name: &str) -> Result<String, ConfigError> {
        match &node.value {
            Value::Str(bytes) => Ok(String::from_utf8_lossy(bytes.expose()).into_owned()),
            Value::Null => Ok(String::new()),
            Value::Int(int) => Ok(int.to_string()),
            Value::Bool(bool) => Ok(bool.to_string()),
            other => Err(self.error(node, format!("{name} must be text, not a {}", other.kind()))),
        }
    }

    pub(super) fn integer(&self, node: &Node, name: &str) -> Result<i64, ConfigError> {
        match node.value {
            Value::Int(int) => Ok(int),
            _ => Err(self.error(node, format!("{name} must be a number"))),
        }
    }

    pub(super) fn boolean(&self, node: &Node, name: &str) -> Result<bool, ConfigError> {
        match &node.value {
            Value::Bool(bool) => Ok(*bool),
            Value::Null => Ok(false),
            // Of YAML 1.1's words go-yaml takes these, where a field is true or false.
            Value::Str(word) if matches!(word.expose(), b"y" | b"Y" | b"yes" | b"on") => Ok(true),
            Value::Str(word) if matches!(word.expose(), b"n" | b"N" | b"no" | b"off") => Ok(false),
            _ => Err(self.error(node, format!("{name} must be true or false"))),
        }
    }

    /// Keys as SOPS takes them: text separated by commas (blanks and empty parts dropped), or a list.
    pub(super) fn keys<'n>(&self, node: &'n Node, name: &str) -> Result<Vec<(&'n Node, String)>, ConfigError> {
        let mut keys = Vec::new();
        let nodes = if matches!(node.value, Value::List(_)) { self.list(node, name)? } else { vec![node] };
        for item in nodes {
            let text = self.text(item, name)?;
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            keys.extend(parts.map(|part| (item, part.to_owned())));
        }
        Ok(keys)
    }
}

/// Puts what `<<` names into the maps that name it, as go-yaml does where a map is read into fields: what stands in the map
/// itself wins, then the first of several.
pub(super) fn merge(map: &mut Map) {
    for item in &mut map.items {
        let Item::Entry(entry) = item else { continue };
        match &mut entry.value.value {
            Value::Map(inner) => merge(inner),
            Value::List(list) => list.items.iter_mut().for_each(|item| {
                if let Element::Node(Node { value: Value::Map(inner), .. }) = item {
                    merge(inner);
                }
            }),
            _ => {}
        }
    }
    let is_merge = |item: &Item| matches!(item, Item::Entry(entry) if &*entry.key == "<<" && sources(entry).is_some());
    let Some(at) = map.items.iter().position(is_merge) else { return };
    let Item::Entry(entry) = map.items.remove(at) else { return };
    let mut known: HashSet<Box<str>> = map.entries().map(|entry| entry.key.clone()).collect();
    for source in sources(&entry).into_iter().flatten() {
        let is_new = |item: &Item| matches!(item, Item::Entry(entry) if known.insert(entry.key.clone()));
        map.items.extend(source.duplicate().items.into_iter().filter(is_new));
    }
}

/// The maps that a merge key names; `None` if it names anything else.
fn sources(entry: &Entry) -> Option<Vec<&Map>> {
    match &entry.value.value {
        Value::Map(map) => Some(vec![map]),
        Value::List(list) => list.nodes().map(|node| node.value.as_map()).collect(),
        _ => None,
    }
}

/// The known name that is at most two edits away, if any.
pub(super) fn close_names<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let best = known.iter().map(|candidate| (distance(name, candidate), *candidate)).min()?;
    (best.0 > 0 && best.0 <= 2).then_some(best.1)
}

/// Levenshtein distance, with a cheap way out for lengths that differ much.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let cost = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use document::format::by_name;
    use secret::SecretBytes;

    use super::*;

    #[test]
    fn lines_are_those_of_places_in_any_order() {
        let text = "a: 1\nb: 2\r\nc: 3\rd: 4\n\ne: 5\n";
        let doc = by_name("yaml").unwrap().parse(SecretBytes::from(text)).unwrap();
        let reader = Reader { doc: &doc, strict: true, checks_recipients: true, seen: Cell::new((0, 1)) };
        let end = u32::try_from(text.len()).unwrap();
        for place in (0..=end).chain([3, 1, end, 7, 8, 8]) {
            assert_eq!(reader.line(place), doc.place(place).0, "{place}");
        }
    }
}
