//! Edits in YAML files: whatever is edited, the rest keeps its bytes and the whole reads back as meant.
//!
//! Sources are hand-written files in every style and random trees as SOPS prints them. `PLOMB_YAML_DIR` adds every
//! YAML file below a folder that can be read.

use crate::{sources, trees};

use document::format::{Insert, Token, Yaml};
use document::{Document, Edits, Element, Entry, Format, Item, List, Map, Node, Path, Span, Step, Style, Value};
use secret::SecretBytes;
use trees::Trees;

fn parse(source: &[u8]) -> Result<Document, document::FormatError> {
    Yaml.parse(SecretBytes::new(source.to_vec()))
}

fn applied(edits: Edits, source: &[u8]) -> Vec<u8> {
    edits.apply(source).expect("edits do not overlap").into_inner()
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// All leaves that are written in the source, in order; what aliases stand for is not.
fn leaves(node: &Node) -> Vec<&Node> {
    if node.alias.is_some() {
        return Vec::new();
    }
    match &node.value {
        Value::Map(map) => map.entries().flat_map(|entry| leaves(&entry.value)).collect(),
        Value::List(list) => list.nodes().flat_map(leaves).collect(),
        _ => vec![node],
    }
}

fn all_leaves(doc: &Document) -> Vec<&Node> {
    doc.branches.iter().flat_map(|branch| branch.root.entries()).flat_map(|entry| leaves(&entry.value)).collect()
}

fn is_sealed(node: &Node) -> bool {
    !matches!(&node.value, Value::Null) && !matches!(&node.value, Value::Str(bytes) if bytes.is_empty())
}

fn seal(doc: &Document) -> (Vec<u8>, Vec<String>) {
    let mut edits = Edits::new();
    let mut texts = Vec::new();
    for (index, node) in all_leaves(doc).into_iter().filter(|node| is_sealed(node)).enumerate() {
        let text = format!("ENC[AES256_GCM,data:{index}+/=,iv:x,tag:y,type:str]");
        Yaml.write_leaf(doc, node, Token::Sealed(&text), None, &mut edits);
        texts.push(text);
    }
    (applied(edits, doc.source.expose()), texts)
}

/// Counts of leaves, of those whose bytes came back, of files and of whole files that came back.
#[derive(Debug, Default)]
struct Counts {
    leaves: usize,
    restored: usize,
    files: usize,
    whole: usize,
}

fn seal_and_open(source: &[u8], counts: &mut Counts) {
    let Ok(doc) = parse(source) else { return };
    let (sealed, texts) = seal(&doc);
    let again = parse(&sealed).unwrap_or_else(|error| panic!("{error}\n{}\n---\n{}", shown(source), shown(&sealed)));
    let (before, after) = (all_leaves(&doc), all_leaves(&again));
    assert_eq!(before.len(), after.len(), "{}\n---\n{}", shown(source), shown(&sealed));
    let mut texts = texts.iter();
    let mut edits = Edits::new();
    for (old, new) in before.iter().zip(&after) {
        if !is_sealed(old) {
            assert!(old.value.same(&new.value));
            continue;
        }
        let text = new.value.as_str().unwrap_or_default().trim_end_matches(['\n', '\r', '\u{2028}', '\u{2029}']);
        assert_eq!(text, texts.next().unwrap(), "{}\n---\n{}", shown(source), shown(&sealed));
        let spelling = &source[old.site.span.range()];
        let token = Token::Opened { value: &old.value, spelling: Some(spelling) };
        Yaml.write_leaf(&again, new, token, None, &mut edits);
    }
    let opened = applied(edits, &sealed);
    let back = parse(&opened).unwrap_or_else(|error| panic!("{error}\n{}\n---\n{}", shown(source), shown(&opened)));
    let same = doc.branches.iter().zip(&back.branches).all(|(a, b)| a.root.same(&b.root));
    assert!(same && doc.branches.len() == back.branches.len(), "{}\n---\n{}", shown(source), shown(&opened));
    counts.files += 1;
    counts.whole += usize::from(opened == source);
    for (old, new) in before.iter().zip(all_leaves(&back)).filter(|(old, _)| is_sealed(old)) {
        counts.leaves += 1;
        counts.restored += usize::from(source[old.site.span.range()] == opened[new.site.span.range()]);
    }
}

#[test]
fn sealed_leaves_read_back_and_open_to_what_they_were() {
    let mut counts = Counts::default();
    sources::each(|source| seal_and_open(source, &mut counts));
    eprintln!("{counts:?}");
    assert!(counts.files > 1000 && counts.restored * 100 > counts.leaves * 80, "{counts:?}");
    for source in sources::ORDINARY {
        let mut one = Counts::default();
        seal_and_open(source.as_bytes(), &mut one);
        assert_eq!((one.files, one.whole), (1, 1), "{source}");
    }
}

/// Metadata as SOPS has them.
fn metadata() -> Map {
    let mut recipient = Map::default();
    recipient.push("enc", Value::str("-----BEGIN AGE ENCRYPTED FILE-----\nabc=\n-----END AGE ENCRYPTED FILE-----\n"));
    recipient.push("recipient", Value::str("age1xyz"));
    let mut map = Map::default();
    let mut list = List::default();
    list.items.push(Element::Node(Node::new(Value::Map(recipient))));
    map.push("age", Value::List(list));
    map.push("lastmodified", Value::str("2026-11-22T13:32:58Z"));
    map.push("mac", Value::str("ENC[AES256_GCM,data:h/5,iv:x,tag:V==,type:str]"));
    map.push("version", Value::str("3.13.3"));
    map
}

/// Whether the source ends in a block scalar that a line break would change.
fn ends_in_open_block(doc: &Document) -> bool {
    let source = doc.source.expose();
    let last = all_leaves(doc).into_iter().max_by_key(|node| node.site.span.end);
    let block = last.is_some_and(|node| matches!(node.site.style, Style::Literal | Style::Folded));
    block && !source.ends_with(b"\n")
}

fn place_and_remove(source: &[u8]) {
    let Ok(mut doc) = parse(source) else { return };
    if doc.branches[0].root.get("sops").is_some() || ends_in_open_block(&doc) {
        return;
    }
    Yaml.take_metadata(&mut doc).unwrap();
    assert!(doc.metadata.is_none());
    let mut edits = Edits::new();
    if Yaml.place_metadata(&doc, &metadata(), &mut edits).is_err() {
        return;
    }
    let placed = applied(edits, source);
    let mut again =
        parse(&placed).unwrap_or_else(|error| panic!("{error}\n{}\n---\n{}", shown(source), shown(&placed)));
    Yaml.take_metadata(&mut again).unwrap();
    assert!(again.metadata.as_ref().is_some_and(|meta| meta.same(&metadata())), "{}", shown(&placed));
    let same = doc.branches.iter().zip(&again.branches).all(|(a, b)| a.root.same(&b.root));
    assert!(same && doc.branches.len() == again.branches.len(), "{}\n---\n{}", shown(source), shown(&placed));
    let mut edits = Edits::new();
    Yaml.place_metadata(&again, &metadata(), &mut edits).unwrap();
    assert_eq!(shown(&applied(edits, &placed)), shown(&placed), "replacing metadata by the same changes nothing");
    let mut edits = Edits::new();
    Yaml.remove_metadata(&again, &mut edits);
    let removed = applied(edits, &placed);
    let added = removed.strip_suffix(b"\r\n").or(removed.strip_suffix(b"\n")).or(removed.strip_suffix(b"\r"));
    assert!(removed == source || added == Some(source), "{}\n---\n{}", shown(source), shown(&removed));
}

#[test]
fn metadata_come_and_go_without_a_trace() {
    sources::each(place_and_remove);
}

/// Paths of all values that do not stand in an alias, and whether the value is a map, a list or null.
fn paths(map: &Map, path: &Path, out: &mut Vec<Path>) {
    for entry in map.entries() {
        let path = Path(path.0.iter().cloned().chain([Step::Key(entry.key.clone())]).collect());
        paths_of(&entry.value, path, out);
    }
}

fn paths_of(node: &Node, path: Path, out: &mut Vec<Path>) {
    if node.alias.is_none() {
        match &node.value {
            Value::Map(map) => paths(map, &path, out),
            Value::List(list) => {
                for (index, node) in list.nodes().enumerate() {
                    let path = Path(path.0.iter().cloned().chain([Step::Index(index)]).collect());
                    paths_of(node, path, out);
                }
            }
            _ => {}
        }
    }
    out.push(path);
}

fn at<'t>(map: &'t mut Map, path: &[Step]) -> &'t mut Value {
    let (first, rest) = path.split_first().unwrap();
    let Step::Key(key) = first else { panic!("a root is a map") };
    let mut value = &mut map.get_mut(key).unwrap().value;
    for step in rest {
        value = match (value, step) {
            (Value::Map(map), Step::Key(key)) => &mut map.get_mut(key).unwrap().value,
            (Value::List(list), Step::Index(index)) => {
                let mut nodes = list.items.iter_mut().filter_map(|element| match element {
                    Element::Node(node) => Some(node),
                    Element::Comment(_) => None,
                });
                &mut nodes.nth(*index).unwrap().value
            }
            _ => panic!("no such path"),
        };
    }
    value
}

/// What an edit is to do, done to the tree.
fn remove_from(map: &mut Map, path: &[Step]) {
    let (last, parent) = path.split_last().unwrap();
    let mut root = Value::Map(std::mem::take(map));
    let holder = match (parent, &mut root) {
        ([], root) => root,
        (parent, Value::Map(map)) => at(map, parent),
        _ => unreachable!("the root is a map"),
    };
    match (holder, last) {
        (Value::Map(map), Step::Key(key)) => {
            let index = map.items.iter().position(|item| matches!(item, Item::Entry(entry) if entry.key == *key));
            map.items.remove(index.unwrap());
        }
        (Value::List(list), Step::Index(index)) => {
            list.items.retain(|element| matches!(element, Element::Node(_)));
            list.items.remove(*index);
        }
        _ => panic!("no such path"),
    }
    let Value::Map(changed) = root else { unreachable!("the root is a map") };
    *map = changed;
}

fn has_alias(source: &[u8]) -> bool {
    source.contains(&b'*') || source.contains(&b'&')
}

fn check_changed(source: &[u8], what: &str, edits: Edits, wanted: &Map, rest: &[document::Branch]) {
    let changed = applied(edits, source);
    let again = parse(&changed)
        .unwrap_or_else(|error| panic!("{what}: {error} {:?}\n{}\n---\n{}", error.at, shown(source), shown(&changed)));
    let fine = again.branches[0].root.same(wanted) && again.branches.len() == rest.len() + 1;
    let others = again.branches[1..].iter().zip(rest).all(|(a, b)| a.root.same(&b.root));
    assert!(fine && others, "{what}\n{}\n---\n{}", shown(source), shown(&changed));
}

fn change_structure(source: &[u8], trees: &mut Trees, done: &mut [usize; 3]) {
    let Ok(doc) = parse(source) else { return };
    if has_alias(source) || ends_in_open_block(&doc) {
        return;
    }
    let mut all = Vec::new();
    paths(&doc.branches[0].root, &Path::default(), &mut all);
    for _ in 0..4 {
        let Ok(mut wanted) = parse(source) else { return };
        let value = settled(trees.value(4));
        let mut edits = Edits::new();
        let path = if all.is_empty() { None } else { Some(&all[trees.below(all.len())]) };
        match (trees.below(3), path) {
            (0, Some(path)) => {
                remove_from(&mut wanted.branches[0].root, &path.0);
                Yaml.remove(&doc, 0, path, &mut edits).unwrap();
                check_changed(source, &format!("remove {path}"), edits, &wanted.branches[0].root, &doc.branches[1..]);
                done[0] += 1;
            }
            (1, Some(path)) => {
                Yaml.replace(&doc, 0, path, &value, &mut edits).unwrap();
                let what = format!("replace {path} by {value:?}");
                *at(&mut wanted.branches[0].root, &path.0) = value;
                check_changed(source, &what, edits, &wanted.branches[0].root, &doc.branches[1..]);
                done[1] += 1;
            }
            _ => {
                let root = Path::default();
                let path = path.filter(|_| trees.below(3) > 0).unwrap_or(&root);
                done[2] += usize::from(add(source, &doc, &mut wanted, path, value));
            }
        }
    }
}

fn add(source: &[u8], doc: &Document, wanted: &mut Document, path: &Path, value: Value) -> bool {
    let mut root = Value::Map(std::mem::take(&mut wanted.branches[0].root));
    let mut edits = Edits::new();
    let copy = duplicate(&value);
    let holder = match (&path.0[..], &mut root) {
        ([], root) => root,
        (path, Value::Map(map)) => at(map, path),
        _ => unreachable!("the root is a map"),
    };
    let entry = Entry { key: "new key".into(), key_span: Span::default(), value: Node::new(value) };
    let new = match holder {
        Value::List(list) => {
            list.items.push(Element::Node(Node::new(copy)));
            Insert::Element(&entry.value.value)
        }
        Value::Map(map) => {
            map.push("new key", copy);
            Insert::Entry(&entry)
        }
        Value::Null => {
            let mut map = Map::default();
            map.push("new key", copy);
            *holder = Value::Map(map);
            Insert::Entry(&entry)
        }
        _ => {
            assert!(Yaml.insert(doc, 0, path, Insert::Entry(&entry), &mut edits).is_err());
            return false;
        }
    };
    Yaml.insert(doc, 0, path, new, &mut edits).unwrap();
    let Value::Map(wanted) = root else { unreachable!("the root is a map") };
    check_changed(source, &format!("insert {:?} at {path}", entry.value), edits, &wanted, &doc.branches[1..]);
    true
}

fn duplicate(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(value) => Value::Bool(*value),
        Value::Int(value) => Value::Int(*value),
        Value::Float(value) => Value::Float(*value),
        Value::Time(text) => Value::Time(text.clone()),
        Value::Str(bytes) => Value::Str(bytes.duplicate()),
        Value::Map(map) => {
            let mut copy = Map::default();
            map.entries().for_each(|entry| copy.push(&entry.key, duplicate(&entry.value.value)));
            Value::Map(copy)
        }
        Value::List(list) => {
            let nodes = list.nodes().map(|node| Element::Node(Node::new(duplicate(&node.value)))).collect();
            Value::List(List { items: nodes })
        }
    }
}

/// Without what a file cannot say: two equal keys, floats that are written as integers.
fn settled(value: Value) -> Value {
    match value {
        Value::Float(value) if value.fract() == 0.0 => Value::Float(1.5),
        Value::Map(map) => {
            let mut kept = Map::default();
            for item in map.items {
                match item {
                    Item::Entry(entry) if kept.get(&entry.key).is_none() && &*entry.key != "<<" => {
                        kept.push(&entry.key, settled(entry.value.value));
                    }
                    Item::Entry(_) => {}
                    comment => kept.items.push(comment),
                }
            }
            Value::Map(kept)
        }
        Value::List(mut list) => {
            for element in &mut list.items {
                if let Element::Node(node) = element {
                    node.value = settled(std::mem::take(&mut node.value));
                }
            }
            Value::List(list)
        }
        other => other,
    }
}

#[test]
fn structural_edits_read_back_as_meant() {
    let mut trees = Trees::new(5);
    let mut done = [0; 3];
    sources::each(|source| change_structure(source, &mut trees, &mut done));
    eprintln!("removed, replaced, added: {done:?}");
    assert!(done.iter().all(|&count| count > 500), "{done:?}");
}

#[test]
fn a_new_string_stands_bare_only_where_no_reader_takes_it_for_something_else() {
    let doc = parse(b"v: x\nn: 1\nf: {w: y}\nl: [z]\nq: 'k'\n").unwrap();
    let write = |path: &[Step], value: &str| {
        let mut edits = Edits::new();
        Yaml.replace(&doc, 0, &Path(path.to_vec()), &Value::str(value), &mut edits).unwrap();
        shown(&applied(edits, doc.source.expose()))
    };
    let key = |key: &str| Step::Key(key.into());
    for text in ["no", "Yes", "off", "y", "1:30", "190:20:30", "1", "true", "a\tb"] {
        for path in [vec![key("v")], vec![key("n")], vec![key("f"), key("w")], vec![key("l"), Step::Index(0)]] {
            let after = write(&path, text);
            assert!(after.contains(&format!("\"{}\"", text.replace('\t', "\\t"))), "{after}");
        }
    }
    assert!(write(&[key("v")], "plain").starts_with("v: plain\n"));
    assert!(write(&[key("q")], "no").ends_with("q: 'no'\n"));
}

#[test]
fn a_file_on_one_line_is_edited_in_linear_time() {
    let items = "\"x\", ".repeat(40_000);
    let source = format!("{{a: [{items}]}}\n");
    let doc = parse(source.as_bytes()).unwrap();
    let (sealed, texts) = seal(&doc);
    assert_eq!((texts.len(), all_leaves(&parse(&sealed).unwrap()).len()), (40_000, 40_000));
}
