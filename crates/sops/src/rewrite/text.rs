//! One change in the text of a file: the edit of a value, an entry or an element, and the proof that it did just that.

use document::{Document, Edits, Entry, Map, Node, Path, Step, Value, format::Insert};

use super::{Change, as_held, is_flat};
use crate::change::{self, Found};
use crate::error::SopsError;

/// The document with the change made in its text, proved by reading it again.
///
/// # Errors
/// [`SopsError::Path`] when the path leads nowhere, or the text cannot say the change alone.
pub(super) fn edited(doc: &Document, change: &Change) -> Result<Document, SopsError> {
    let root = &doc.branches.first().ok_or(SopsError::Proof("there is no document"))?.root;
    let flat = is_flat(doc.format);
    let change = match change {
        Change::Set(path, value) => &Change::Set(path.clone(), as_held(flat, value)),
        Change::Unset(_) => change,
    };
    let mut wanted = root.duplicate();
    change.apply(&mut wanted)?;
    let first = Attempt { doc, root, wanted: &wanted, change };
    let made = first.with(&[])?;
    let made = match made {
        Some(made) if first.is_wanted(&made) => return Ok(made),
        made => made,
    };
    // Aliases stand for what was changed: those that would say something else now are written out.
    let said = made.as_ref().filter(|_| !first.moves_elements()).map(|made| &made.branches[0].root);
    let mut aliases = aliases(root);
    aliases.retain(|alias| !first.touches(alias) && said.is_none_or(|said| !same_at(said, &wanted, alias)));
    let again = if aliases.is_empty() { None } else { first.with(&aliases)? };
    again.filter(|again| first.is_wanted(again)).ok_or_else(not_alone)
}

/// The paths of all aliases, but for those inside of what others stand for.
fn aliases(root: &Map) -> Vec<Path> {
    let mut found = Vec::new();
    in_map(root, &mut Path::default(), &mut found);
    found
}

fn in_map(map: &Map, at: &mut Path, found: &mut Vec<Path>) {
    for entry in map.entries() {
        at.0.push(Step::Key(entry.key.clone()));
        in_node(&entry.value, at, found);
        at.0.pop();
    }
}

fn in_node(node: &Node, at: &mut Path, found: &mut Vec<Path>) {
    match &node.value {
        _ if node.alias.is_some() => found.push(at.clone()),
        Value::Map(map) => in_map(map, at, found),
        Value::List(list) => {
            for (index, node) in list.nodes().enumerate() {
                at.0.push(Step::Index(index));
                in_node(node, at, found);
                at.0.pop();
            }
        }
        _ => {}
    }
}

fn same_at(one: &Map, other: &Map, path: &Path) -> bool {
    matches!((value_at(one, path), value_at(other, path)), (Ok(one), Ok(other)) if one.same(&other))
}

/// A change in the text of a document, and the tree that is to come of it.
struct Attempt<'a> {
    doc: &'a Document,
    root: &'a Map,
    wanted: &'a Map,
    change: &'a Change,
}

impl Attempt<'_> {
    /// The text with the change and these aliases written out, read again; `None` if it cannot be read.
    fn with(&self, aliases: &[Path]) -> Result<Option<Document>, SopsError> {
        let Self { doc, root, wanted, change } = self;
        let mut edits = Edits::new();
        for alias in aliases {
            doc.format.replace(doc, 0, alias, &value_at(root, alias)?, &mut edits)?;
        }
        match change {
            Change::Set(path, _) => put(doc, root, wanted, path, &mut edits)?,
            Change::Unset(path) => doc.format.remove(doc, 0, &direct(root, path)?, &mut edits)?,
        }
        let text = edits.apply(doc.source.expose()).ok_or(SopsError::Proof("overlapping edits"))?;
        Ok(doc.format.parse(text).ok())
    }

    /// Whether elements stand at other places of their list after the change.
    fn moves_elements(&self) -> bool {
        matches!(self.change, Change::Unset(path) if matches!(path.0.last(), Some(Step::Index(_))))
    }

    /// Whether the change itself writes what stands at `other`.
    fn touches(&self, other: &Path) -> bool {
        let (Change::Set(path, _) | Change::Unset(path)) = self.change;
        path.0.starts_with(&other.0) || other.0.starts_with(&path.0)
    }

    /// Whether a document says what is wanted, and in its other branches what was said before.
    fn is_wanted(&self, again: &Document) -> bool {
        again.branches.len() == self.doc.branches.len()
            && again.branches[0].root.same(self.wanted)
            && again.branches.iter().zip(&self.doc.branches).skip(1).all(|(a, b)| a.root.same(&b.root))
    }
}

fn not_alone() -> SopsError {
    let what = "this value cannot be changed alone in the file's text; use `plomb edit`";
    SopsError::Path(what.to_owned())
}

/// The edit that makes `path` of the text say what `wanted` says there.
fn put(doc: &Document, root: &Map, wanted: &Map, path: &Path, edits: &mut Edits) -> Result<(), SopsError> {
    let (depth, last) = deepest(root, path);
    let upto = |depth: usize| Path(path.0[..depth].to_vec());
    let replace = |edits: &mut Edits| {
        let value = value_at(wanted, &upto(depth))?;
        Ok(doc.format.replace(doc, 0, &upto(depth), &value, edits)?)
    };
    if depth == path.0.len() {
        return replace(edits);
    }
    match (last, &path.0[depth]) {
        (Last::Map, Step::Key(key)) => {
            let value = Node::new(value_at(wanted, &upto(depth + 1))?);
            let entry = Entry { key: key.clone(), key_span: document::Span::default(), value };
            Ok(doc.format.insert(doc, 0, &upto(depth), Insert::Entry(&entry), edits)?)
        }
        (Last::List(length), Step::Index(_)) => {
            let mut element = upto(depth);
            element.0.push(Step::Index(length));
            let value = value_at(wanted, &element)?;
            Ok(doc.format.insert(doc, 0, &upto(depth), Insert::Element(&value), edits)?)
        }
        _ => replace(edits),
    }
}

/// Where a path ends that leads further than the tree does.
enum Last {
    Map,
    List(usize),
    /// A scalar, or an alias, whose copy has no text of its own.
    Whole,
}

/// How many steps of `path` the tree has, and what is there.
fn deepest(root: &Map, path: &Path) -> (usize, Last) {
    let mut last = Last::Map;
    let mut here: Option<&Value> = None;
    for (depth, step) in path.0.iter().enumerate() {
        let next = match (step, here) {
            (Step::Key(key), None) => root.get(key),
            (Step::Key(key), Some(Value::Map(map))) => map.get(key),
            (Step::Index(index), Some(Value::List(list))) => list.nodes().nth(*index),
            _ => None,
        };
        let Some(node) = next else { return (depth, last) };
        here = Some(&node.value);
        last = match &node.value {
            _ if node.alias.is_some() => return (depth + 1, Last::Whole),
            Value::Map(_) => Last::Map,
            Value::List(list) => Last::List(list.nodes().count()),
            _ => Last::Whole,
        };
    }
    (path.0.len(), last)
}

/// The path itself, if no step leads through an alias.
fn direct(root: &Map, path: &Path) -> Result<Path, SopsError> {
    let parents = Path(path.0[..path.0.len().saturating_sub(1)].to_vec());
    match deepest(root, &parents) {
        (depth, Last::Whole) if depth > 0 => Err(not_alone()),
        _ => Ok(path.clone()),
    }
}

fn value_at(root: &Map, path: &Path) -> Result<Value, SopsError> {
    Ok(match change::get(root, path)? {
        Found::Map(map) => Value::Map(map.duplicate()),
        Found::List(list) => Value::List(list.duplicate()),
        Found::Scalar(value) => value.duplicate(),
    })
}
