//! What SOPS reads otherwise than we do, or not at all: its own weaknesses, of which whoever shares files with it should know.

use document::{Comment, Document, Element, Item, List, Map, Node, Value};

use crate::error::{Place, SopsError};
use crate::open::Notice;

/// What to tell about a document that is to be encrypted.
///
/// # Errors
/// [`SopsError::Unsealable`] for INI comments of several lines of which the first is empty: SOPS breaks down when it writes
/// them after decryption.
pub(crate) fn check(doc: &Document) -> Result<Vec<Notice>, SopsError> {
    let mut found = Found::default();
    for (document, branch) in doc.branches.iter().enumerate() {
        match doc.format.name() {
            "ini" => comments(doc, document, &branch.root)?,
            _ => in_map(doc, &branch.root, &mut found),
        }
    }
    // Lines are counted for the first only: a hostile file may have a million of them.
    let first = |places: &Places| (places.count > 0).then(|| (places.first.map(|at| doc.place(at)), places.count - 1));
    let empty = first(&found.empty).map(|(at, more)| Notice::EmptyElement { at, more });
    let rounded = first(&found.rounded).map(|(at, more)| Notice::Rounded { at, more });
    Ok(empty.into_iter().chain(rounded).collect())
}

#[derive(Default)]
struct Found {
    empty: Places,
    rounded: Places,
}

/// The offset of the first, and how many there are.
#[derive(Default)]
struct Places {
    first: Option<u32>,
    count: usize,
}

impl Places {
    fn add(&mut self, at: Option<u32>) {
        self.first = if self.count == 0 { at } else { self.first };
        self.count += 1;
    }
}

fn comments(doc: &Document, document: usize, map: &Map) -> Result<(), SopsError> {
    for item in &map.items {
        match item {
            Item::Comment(comment) if begins_empty(comment) && is_attached(doc, comment) => {
                let what =
                    "is a comment whose first line is empty, on which SOPS breaks down: fill the line or take it out";
                let at = comment.span.map(|span| doc.place(span.start));
                return Err(SopsError::Unsealable { place: Place { at, document, ..Place::default() }, what });
            }
            Item::Comment(_) => {}
            Item::Entry(entry) => {
                if let Value::Map(section) = &entry.value.value {
                    comments(doc, document, section)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a key or section follows a comment: SOPS does not write one that ends the file.
fn is_attached(doc: &Document, comment: &Comment) -> bool {
    let start = comment.span.map_or(0, |span| span.start as usize);
    let mut lines = doc.source.expose()[start..].split(|byte| *byte == b'\n').skip(1).map(<[u8]>::trim_ascii);
    lines.any(|line| line.first().is_some_and(|first| !b"#;".contains(first)))
}

/// Whether the first of several lines of a comment has no text.
fn begins_empty(comment: &Comment) -> bool {
    let text = comment.text.expose();
    text.iter().position(|byte| *byte == b'\n').is_some_and(|end| text[..end].trim_ascii().is_empty())
}

fn in_map(doc: &Document, map: &Map, found: &mut Found) {
    map.entries().for_each(|entry| in_node(doc, &entry.value, found));
}

fn in_list(doc: &Document, list: &List, found: &mut Found) {
    for element in &list.items {
        match element {
            Element::Node(node) => in_node(doc, node, found),
            Element::Comment(comment) if comment.text.is_empty() && !comment.inline => {
                found.empty.add(comment.span.map(|span| span.start));
            }
            Element::Comment(_) => {}
        }
    }
}

fn in_node(doc: &Document, node: &Node, found: &mut Found) {
    match &node.value {
        Value::Map(map) => in_map(doc, map, found),
        Value::List(list) => in_list(doc, list, found),
        Value::Float(_) if digits(doc, node).is_some() => found.rounded.add(Some(node.site.span.start)),
        _ => {}
    }
}

/// The digits of an integer beyond 64 bits, as the text has them: its value is a double only.
pub(crate) fn digits<'d>(doc: &'d Document, node: &Node) -> Option<&'d [u8]> {
    let text = doc.source.expose().get(node.site.span.range())?;
    let bare = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let is_big = bare.len() > 17 && bare.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_');
    (is_big && matches!(node.value, Value::Float(_))).then_some(text)
}
