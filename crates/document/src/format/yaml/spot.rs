//! Where the items of a collection start and end in the source.

use super::{lines, token};
use crate::{Document, Element, FormatError, Item, Node, Path, Problem, Site, Step, Style, Value};

/// An item of a collection: an entry of a map or an element of a list.
pub(super) struct Spot<'d> {
    pub(super) node: &'d Node,
    /// The collection that holds it.
    pub(super) holder: Site,
    pub(super) in_map: bool,
    /// First byte of the item: its key, its dash, its value in a flow list.
    pub(super) start: usize,
    /// Behind the colon or dash and what describes the value (anchor, tag).
    pub(super) lead_end: usize,
    /// Whether the entry has a colon (or is an element, which needs none).
    pub(super) colon: bool,
    /// Whether an anchor or a tag stands in front of the value.
    pub(super) described: bool,
    pub(super) end: usize,
    /// End of the item before it.
    pub(super) before: Option<usize>,
    /// Start of the item behind it.
    pub(super) after: Option<usize>,
}

impl Spot<'_> {
    pub(super) fn flow(&self) -> bool {
        self.holder.style == Style::Flow
    }

    /// Where the value stands: an alias has no site of its own.
    pub(super) fn site(&self) -> Site {
        match self.node.alias {
            Some(alias) => {
                Site { span: alias.span, style: Style::Plain, in_flow: self.flow(), indent: self.holder.indent }
            }
            None => self.node.site,
        }
    }

    pub(super) fn is_block_collection(&self) -> bool {
        self.site().style == Style::Block
    }
}

/// The item at `path`.
pub(super) fn find<'d>(doc: &'d Document, branch: usize, path: &Path) -> Result<Spot<'d>, FormatError> {
    let branch = doc.branches.get(branch).ok_or_else(|| unwritable("the file has no such document"))?;
    let (first, rest) = path.0.split_first().ok_or_else(|| unwritable("the root is not an item"))?;
    let source = doc.source.expose();
    let mut spot = item(source, branch.site, Items::Map(&branch.root.items), first)?;
    for step in rest {
        if spot.node.alias.is_some() {
            return Err(unwritable("the value stands in an alias"));
        }
        let items = match &spot.node.value {
            Value::Map(map) => Items::Map(&map.items),
            Value::List(list) => Items::List(&list.items),
            _ => return Err(unwritable("the path leads into a value that is neither a map nor a list")),
        };
        spot = item(source, spot.node.site, items, step)?;
    }
    Ok(spot)
}

pub(super) fn unwritable(what: &str) -> FormatError {
    FormatError::new(Problem::Unwritable, what)
}

#[derive(Clone, Copy)]
pub(super) enum Items<'d> {
    Map(&'d [Item]),
    List(&'d [Element]),
}

impl<'d> Items<'d> {
    /// The values with the ends of their keys, in order.
    fn nodes(self) -> Box<dyn DoubleEndedIterator<Item = (usize, &'d Node)> + 'd> {
        match self {
            Self::Map(items) => Box::new(items.iter().filter_map(|item| match item {
                Item::Entry(entry) => Some((entry.key_span.end as usize, &entry.value)),
                Item::Comment(_) => None,
            })),
            Self::List(items) => Box::new(items.iter().filter_map(|element| match element {
                Element::Node(node) => Some((0, node)),
                Element::Comment(_) => None,
            })),
        }
    }

    /// Where the last item ends.
    pub(super) fn end(self) -> Option<usize> {
        self.nodes().next_back().map(|(key_end, node)| end(key_end, node))
    }

    /// A comma behind the last item: a bare colon directly before it would be text.
    pub(super) fn comma(self) -> &'static [u8] {
        if self.ends_with_colon() { b" , " } else { b", " }
    }

    fn ends_with_colon(self) -> bool {
        let Some((key_end, node)) = self.nodes().next_back() else { return false };
        match (&node.value, self) {
            (Value::Map(map), Self::List(_)) if node.alias.is_none() => Items::Map(&map.items).ends_with_colon(),
            (_, Self::Map(_)) => node.site.span.start == node.site.span.end && end(key_end, node) > key_end,
            _ => false,
        }
    }

    pub(super) fn last(self) -> Option<&'d Node> {
        self.nodes().next_back().map(|(_, node)| node)
    }

    fn position(self, step: &Step) -> Option<usize> {
        match (self, step) {
            (Self::Map(items), Step::Key(key)) => {
                let mut entries = items.iter().filter_map(|item| match item {
                    Item::Entry(entry) => Some(entry),
                    Item::Comment(_) => None,
                });
                entries.position(|entry| entry.key == *key)
            }
            (Self::List(_), Step::Index(index)) => Some(*index),
            _ => None,
        }
    }
}

/// Where an item ends whose key ends at `key_end`.
pub(super) fn end(key_end: usize, node: &Node) -> usize {
    let span = node.alias.map_or(node.site.span, |alias| alias.span);
    key_end.max(span.end as usize)
}

fn item<'d>(source: &[u8], holder: Site, items: Items<'d>, step: &Step) -> Result<Spot<'d>, FormatError> {
    let missing = || unwritable("there is no value at this path");
    let index = items.position(step).ok_or_else(missing)?;
    let mut nodes = items.nodes();
    let before = match index {
        0 => None,
        _ => nodes.nth(index - 1).map(|(key_end, node)| end(key_end, node)),
    };
    let (key_end, node) = nodes.next().ok_or_else(missing)?;
    let in_map = matches!(items, Items::Map(_));
    let start = item_start(source, holder, before);
    let end = end(key_end, node);
    let after = nodes.next().map(|_| item_start(source, holder, Some(end)));
    let colon = lines::token(source, key_end);
    let colon = !in_map || (source.get(colon) == Some(&b':') && colon < end.max(key_end + 1));
    let (lead_end, described) = lead(source, holder, in_map.then_some(key_end), start);
    Ok(Spot { node, holder, in_map, start, lead_end: lead_end.min(end), colon, described, end, before, after })
}

/// First byte of the item behind `before`, or of the first one.
fn item_start(source: &[u8], holder: Site, before: Option<usize>) -> usize {
    let flow = holder.style == Style::Flow;
    let at = match before {
        Some(end) => lines::token(source, end),
        None => open(source, holder),
    };
    let comma = flow && before.is_some() && source.get(at) == Some(&b',');
    if comma { lines::token(source, at + 1) } else { at }
}

/// First byte of a block collection's content, or of what stands in a flow collection.
fn open(source: &[u8], holder: Site) -> usize {
    let at = inner(source, holder);
    if holder.style == Style::Flow { lines::token(source, at) } else { at }
}

/// Behind the bracket of a flow collection, or at the first item of a block collection; a tag in front is passed.
pub(super) fn inner(source: &[u8], holder: Site) -> usize {
    let at = holder.span.start as usize;
    if holder.style == Style::Flow {
        return if is_bare_pair(source, holder) { at } else { token::behind_props(source, at) + 1 };
    }
    // A tag or anchor on the line of the first key belongs to the key.
    let behind = token::behind_props(source, at);
    if lines::end(source, at) < behind || source.get(behind) == Some(&b'-') { behind } else { at }
}

/// Whether a flow map is one `key: value` in a flow list, without brackets of its own.
pub(super) fn is_bare_pair(source: &[u8], holder: Site) -> bool {
    let at = token::behind_props(source, holder.span.start as usize);
    holder.style == Style::Flow && !matches!(source.get(at), Some(b'{' | b'['))
}

/// Behind the colon or dash and the value's properties, and whether there are any.
fn lead(source: &[u8], holder: Site, key_end: Option<usize>, start: usize) -> (usize, bool) {
    let mut at = match key_end {
        Some(key_end) => {
            let colon = lines::token(source, key_end);
            if source.get(colon) == Some(&b':') { colon + 1 } else { key_end }
        }
        None if holder.style == Style::Flow => start,
        None => start + 1,
    };
    let mut described = false;
    loop {
        let next = lines::skip_blanks(source, at);
        if !matches!(source.get(next), Some(b'!' | b'&')) {
            return (at, described);
        }
        described = true;
        at = lines::word_end(source, next);
    }
}
