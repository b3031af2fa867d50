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
    let mut edits = Edits::new();
    match change {
        Change::Set(path, _) => put(doc, root, &wanted, path, &mut edits)?,
        Change::Unset(path) => doc.format.remove(doc, 0, &direct(root, path)?, &mut edits)?,
    }
    let text = edits.apply(doc.source.expose()).ok_or(SopsError::Proof("overlapping edits"))?;
    let again = doc.format.parse(text).map_err(|_| not_alone())?;
    let others = |doc: &Document| doc.branches.len();
    let same = others(&again) == others(doc)
        && again.branches[0].root.same(&wanted)
        && again.branches.iter().zip(&doc.branches).skip(1).all(|(a, b)| a.root.same(&b.root));
    if same { Ok(again) } else { Err(not_alone()) }
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
