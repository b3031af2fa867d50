//! The indentation that a file uses.

use crate::{Document, Element, Item, Node, Style, Value};

/// Nodes to look at before giving up: files repeat themselves.
const ENOUGH: usize = 1000;

/// Columns per level: those between the first collection that is indented under a key, and that key; 4 without one.
pub(super) fn step(doc: &Document) -> usize {
    let mut left = ENOUGH;
    let found = doc.branches.iter().find_map(|branch| {
        let items = branch.root.items.iter();
        items.filter_map(entry).find_map(|node| below(node, branch.site.indent, true, &mut left))
    });
    found.map_or(4, |step| step as usize).clamp(2, 9)
}

fn entry(item: &Item) -> Option<&Node> {
    match item {
        Item::Entry(entry) => Some(&entry.value),
        Item::Comment(_) => None,
    }
}

fn below(node: &Node, outer: u32, in_map: bool, left: &mut usize) -> Option<u32> {
    *left = left.checked_sub(1)?;
    if node.alias.is_some() || node.site.style != Style::Block {
        return None;
    }
    let indent = node.site.indent;
    if in_map && indent > outer {
        return Some(indent - outer);
    }
    match &node.value {
        Value::Map(map) => map.items.iter().filter_map(entry).find_map(|node| below(node, indent, true, left)),
        Value::List(list) => list.items.iter().find_map(|element| match element {
            Element::Node(node) => below(node, indent, false, left),
            Element::Comment(_) => None,
        }),
        _ => None,
    }
}
