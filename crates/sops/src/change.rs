//! Changes of a decrypted tree by path, as `set`, `unset` and `--extract` name values.

use document::{Element, Entry, Item, List, Map, Node, Path, Span, Step, Value};

use crate::error::SopsError;

/// Reads SOPS' path notation: `["key"]`, `['key']`, `[0]`, one behind the other.
///
/// # Errors
/// [`SopsError::Path`] when the text is not of that form.
pub fn parse_path(text: &str) -> Result<Path, SopsError> {
    let bad = || SopsError::Path("a path is written as [\"key\"][0], each part in brackets".to_owned());
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(bad)?;
        let (step, after) = match inner.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let close = format!("{quote}]");
                let (key, after) = inner[1..].split_once(&close).ok_or_else(bad)?;
                (Step::Key(key.into()), after)
            }
            _ => {
                let (number, after) = inner.split_once(']').ok_or_else(bad)?;
                (Step::Index(number.parse().map_err(|_| bad())?), after)
            }
        };
        steps.push(step);
        rest = after;
    }
    Ok(Path(steps))
}

/// The value at `path` of a document.
///
/// # Errors
/// [`SopsError::Path`] that names the first part that does not fit.
pub fn get<'t>(root: &'t Map, path: &Path) -> Result<Found<'t>, SopsError> {
    let mut found = Found::Map(root);
    for (index, step) in path.0.iter().enumerate() {
        let next = match (step, &found) {
            (Step::Key(key), Found::Map(map)) => map.get(key).map(Found::from),
            (Step::Index(index), Found::List(list)) => list.nodes().nth(*index).map(Found::from),
            _ => None,
        };
        found = next.ok_or_else(|| missing(path, index))?;
    }
    Ok(found)
}

/// The node at `path` of a document; none for the document itself.
pub fn node<'t>(root: &'t Map, path: &Path) -> Option<&'t Node> {
    let (last, before) = path.0.split_last()?;
    match (get(root, &Path(before.to_vec())).ok()?, last) {
        (Found::Map(map), Step::Key(key)) => map.get(key),
        (Found::List(list), Step::Index(index)) => list.nodes().nth(*index),
        _ => None,
    }
}

/// What a path leads to.
#[derive(Clone, Copy, Debug)]
pub enum Found<'t> {
    /// A map: a document of its own.
    Map(&'t Map),
    /// A list.
    List(&'t List),
    /// A scalar.
    Scalar(&'t Value),
}

impl<'t> From<&'t Node> for Found<'t> {
    fn from(node: &'t Node) -> Self {
        match &node.value {
            Value::Map(map) => Self::Map(map),
            Value::List(list) => Self::List(list),
            value => Self::Scalar(value),
        }
    }
}

fn missing(path: &Path, index: usize) -> SopsError {
    let part = Path(path.0[..=index].to_vec());
    SopsError::Path(format!("component {part} not found"))
}

/// Whether every map on the way takes a key and every list an index: anything else would put another collection in
/// its place, and its values would be lost.
///
/// # Errors
/// [`SopsError::Path`] that names the map or list.
pub fn fits(root: &Map, path: &Path) -> Result<(), SopsError> {
    let mut found = Some(Found::Map(root));
    for (at, step) in path.0.iter().enumerate() {
        let part = || Path(path.0[..at].to_vec());
        found = match (step, found) {
            (Step::Index(_), Some(Found::Map(_))) if at == 0 => {
                return Err(SopsError::Path("a path starts with a key, such as [\"key\"]".to_owned()));
            }
            (Step::Index(_), Some(Found::Map(_))) => {
                return Err(SopsError::Path(format!("{} is a map, which takes a key, not an index", part())));
            }
            (Step::Key(_), Some(Found::List(_))) => {
                return Err(SopsError::Path(format!("{} is a list, which takes an index, not a key", part())));
            }
            (Step::Key(key), Some(Found::Map(map))) => map.get(key).map(Found::from),
            (Step::Index(index), Some(Found::List(list))) => list.nodes().nth(*index).map(Found::from),
            (_, Some(Found::Scalar(_)) | None) => return Ok(()),
        };
    }
    Ok(())
}

/// Puts `value` at `path`, as SOPS does: missing maps and lists are created on the way, an index at or past
/// the end of a list appends, a scalar on the way is replaced.
pub fn set(root: &mut Map, path: &Path, value: Value) {
    let Some((first, rest)) = path.0.split_first() else { return };
    let Step::Key(key) = first else { return };
    match root.get_mut(key) {
        Some(node) => set_in(node, rest, value),
        None => root.items.push(Item::Entry(entry(key, built(rest, value)))),
    }
}

fn set_in(node: &mut Node, path: &[Step], value: Value) {
    node.alias = None;
    let Some((first, rest)) = path.split_first() else {
        node.value = value;
        return;
    };
    match (first, &mut node.value) {
        (Step::Key(key), Value::Map(map)) => match map.get_mut(key) {
            Some(child) => set_in(child, rest, value),
            None => map.items.push(Item::Entry(entry(key, built(rest, value)))),
        },
        (Step::Index(index), Value::List(list)) => match node_mut(list, *index) {
            Some(child) => set_in(child, rest, value),
            None => list.items.push(Element::Node(Node::new(built(rest, value)))),
        },
        (_, other) => *other = built(path, value),
    }
}

/// `value` wrapped in the maps and lists that `path` asks for.
fn built(path: &[Step], value: Value) -> Value {
    path.iter().rev().fold(value, |inner, step| match step {
        Step::Key(key) => Value::Map(Map { items: vec![Item::Entry(entry(key, inner))] }),
        Step::Index(_) => Value::List(List { items: vec![Element::Node(Node::new(inner))] }),
    })
}

fn entry(key: &str, value: Value) -> Entry {
    Entry { key: key.into(), key_span: Span::default(), value: Node::new(value) }
}

fn node_mut(list: &mut List, index: usize) -> Option<&mut Node> {
    let nodes = list.items.iter_mut().filter_map(|item| match item {
        Element::Node(node) => Some(node),
        Element::Comment(_) => None,
    });
    nodes.into_iter().nth(index)
}

/// Removes the value at `path`.
///
/// # Errors
/// [`SopsError::Path`] when there is none.
pub fn unset(root: &mut Map, path: &Path) -> Result<(), SopsError> {
    let absent = || missing(path, path.0.len().saturating_sub(1));
    let (last, parents) = path.0.split_last().ok_or_else(|| SopsError::Path("the path is empty".to_owned()))?;
    get(root, &Path(parents.to_vec()))?;
    get(root, path)?;
    let mut value = Slot::Map(root);
    for step in parents {
        value = value.down(step).ok_or_else(absent)?;
    }
    match (last, value) {
        (Step::Key(key), Slot::Map(map)) => {
            let at = map.items.iter().position(|item| matches!(item, Item::Entry(entry) if entry.key == *key));
            map.items.remove(at.ok_or_else(absent)?);
        }
        (Step::Index(index), Slot::List(list)) => {
            let mut nodes = list.items.iter().enumerate().filter(|(_, item)| matches!(item, Element::Node(_)));
            let at = nodes.nth(*index).map(|(at, _)| at);
            list.items.remove(at.ok_or_else(absent)?);
        }
        _ => return Err(absent()),
    }
    Ok(())
}

enum Slot<'t> {
    Map(&'t mut Map),
    List(&'t mut List),
}

impl<'t> Slot<'t> {
    fn down(self, step: &Step) -> Option<Self> {
        let node = match (self, step) {
            (Self::Map(map), Step::Key(key)) => map.get_mut(key)?,
            (Self::List(list), Step::Index(index)) => node_mut(list, *index)?,
            _ => return None,
        };
        match &mut node.value {
            Value::Map(map) => Some(Self::Map(map)),
            Value::List(list) => Some(Self::List(list)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Map {
        let mut map = Map::default();
        set(&mut map, &parse_path(r#"["a"]["b"][0]"#).unwrap(), Value::Int(1));
        set(&mut map, &parse_path(r#"["a"]["b"][7]"#).unwrap(), Value::Int(2));
        map
    }

    #[test]
    fn paths_are_read_as_sops_writes_them() {
        assert_eq!(parse_path(r#"["a"]['b c'][10]"#).unwrap().to_string(), r#"["a"]["b c"][10]"#);
        for wrong in ["a", "[", "[\"a]", "[-1]", "[x]", "[ 1]", "[\"a\"]b", " [\"a\"]", "[\"a\"] "] {
            assert!(parse_path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_collection_gives_way_to_no_other_kind() {
        let map = tree();
        for (path, fits_there) in [
            (r#"["a"]["b"]["x"]"#, false),
            (r#"["a"][0]"#, false),
            ("[0]", false),
            (r#"["a"]["b"][0]["deep"]"#, true),
            (r#"["new"][0]["deep"]"#, true),
            (r#"["a"]["b"]"#, true),
        ] {
            assert_eq!(fits(&map, &parse_path(path).unwrap()).is_ok(), fits_there, "{path}");
        }
    }

    #[test]
    fn set_builds_what_is_missing_and_unset_takes_it_away() {
        let mut map = tree();
        let path = parse_path(r#"["a"]["b"][1]"#).unwrap();
        assert!(matches!(get(&map, &path).unwrap(), Found::Scalar(Value::Int(2))));
        unset(&mut map, &path).unwrap();
        assert!(get(&map, &path).is_err());
        assert!(unset(&mut map, &parse_path(r#"["a"]["x"]"#).unwrap()).is_err());
        set(&mut map, &parse_path(r#"["a"]["b"][0]["deep"]"#).unwrap(), Value::Bool(true));
        assert!(get(&map, &parse_path(r#"["a"]["b"][0]["deep"]"#).unwrap()).is_ok());
    }
}
