//! Round trips over random documents: sealed and opened, metadata in and out, edited and read again.

use document::format::{Env, Ini, Insert, Json};
use document::{Comment, Document, Edits, Element, Entry, Format, Item, List, Map, Node, Path, Step, Token, Value};
use secret::SecretBytes;

use super::material::{edited, metadata, open, parse, same};
use super::random::{self, Random};

type Make = fn(&mut Random) -> String;

const SEALED: &str = "ENC[AES256_GCM,data:Qw==,iv:Zg8=,tag:aa/+bg==,type:str]";

const MAKERS: [(&dyn Format, Make); 3] =
    [(&Json, |random| random::json_file(random, 3)), (&Env, random::env_file), (&Ini, random::ini_file)];

/// Random documents of all formats that can be read.
fn each_document(runs: u64, check: impl Fn(&dyn Format, &str, Document, &mut Random)) {
    for (format, make) in MAKERS {
        let mut read = 0;
        for seed in 0..runs {
            let mut random = Random::new(seed + 1_000_000);
            let text = make(&mut random);
            let Ok(mut doc) = format.parse(SecretBytes::from(&*text)) else { continue };
            if format.take_metadata(&mut doc).is_ok() && doc.metadata.is_none() {
                read += 1;
                check(format, &text, doc, &mut random);
            }
        }
        assert!(read * 3 > runs, "too few {} documents can be read", format.name());
    }
}

/// All leaves with their paths, and all comments that have a text.
#[derive(Default)]
struct Walk<'a> {
    leaves: Vec<(Path, &'a Node)>,
    maps: Vec<Path>,
    lists: Vec<Path>,
    comments: Vec<&'a Comment>,
}

impl<'a> Walk<'a> {
    fn of(doc: &'a Document) -> Self {
        let mut walk = Self::default();
        walk.map(&Path::default(), &doc.branches[0].root);
        walk
    }

    fn map(&mut self, path: &Path, map: &'a Map) {
        self.maps.push(path.clone());
        for item in &map.items {
            match item {
                Item::Comment(comment) if comment.text.is_empty() => {}
                Item::Comment(comment) => self.comments.push(comment),
                Item::Entry(entry) => self.node(&below(path, Step::Key(entry.key.clone())), &entry.value),
            }
        }
    }

    fn list(&mut self, path: &Path, list: &'a List) {
        self.lists.push(path.clone());
        for (index, element) in list.items.iter().enumerate() {
            if let Element::Node(node) = element {
                self.node(&below(path, Step::Index(index)), node);
            }
        }
    }

    fn node(&mut self, path: &Path, node: &'a Node) {
        match &node.value {
            Value::Map(map) => self.map(path, map),
            Value::List(list) => self.list(path, list),
            _ => self.leaves.push((path.clone(), node)),
        }
    }
}

fn below(path: &Path, step: Step) -> Path {
    let mut path = path.clone();
    path.0.push(step);
    path
}

fn seal(format: &dyn Format, doc: &Document) -> Vec<u8> {
    let walk = Walk::of(doc);
    edited(doc, |edits| {
        for (_, node) in &walk.leaves {
            format.write_leaf(doc, node, Token::Sealed(SEALED), None, edits);
        }
        for comment in &walk.comments {
            format.write_comment(doc, comment, SEALED.as_bytes(), edits);
        }
        format.place_metadata(doc, &metadata(), edits).expect("a place for metadata");
    })
}

#[test]
fn what_is_sealed_opens_to_the_same_bytes() {
    each_document(1500, |format, text, doc, _| {
        let sealed = seal(format, &doc);
        let shown = String::from_utf8_lossy(&sealed).into_owned();
        let sealed = open(format, &sealed);
        assert!(sealed.metadata.as_ref().unwrap().same(&metadata()), "{shown}");
        let (now, before) = (Walk::of(&sealed), Walk::of(&doc));
        assert_eq!(now.leaves.len(), before.leaves.len(), "{shown}");
        assert_eq!(now.comments.len(), before.comments.len(), "{text:?} {shown}");
        assert!(now.leaves.iter().all(|(_, node)| node.value.as_str() == Some(SEALED)), "{shown}");
        assert!(now.comments.iter().all(|comment| comment.text.expose() == SEALED.as_bytes()), "{shown}");
        let bytes = edited(&sealed, |edits| {
            for ((_, node), (_, old)) in now.leaves.iter().zip(&before.leaves) {
                format.write_leaf(&sealed, node, Token::Verbatim(&text.as_bytes()[old.site.span.range()]), None, edits);
            }
            for (comment, old) in now.comments.iter().zip(&before.comments) {
                format.write_comment(&sealed, comment, old.text.expose(), edits);
            }
            format.remove_metadata(&sealed, edits);
        });
        assert_eq!(String::from_utf8_lossy(&bytes), text, "sealed as {shown:?}");
    });
}

#[test]
fn what_is_sealed_opens_to_the_same_values() {
    each_document(1500, |format, text, doc, _| {
        let sealed = open(format, &seal(format, &doc));
        let (now, before) = (Walk::of(&sealed), Walk::of(&doc));
        let bytes = edited(&sealed, |edits| {
            for ((_, node), (_, old)) in now.leaves.iter().zip(&before.leaves) {
                let spelling = Some(&text.as_bytes()[old.site.span.range()]);
                let token = Token::Opened { value: &old.value, spelling };
                format.write_leaf(&sealed, node, token, None, edits);
            }
            for (comment, old) in now.comments.iter().zip(&before.comments) {
                format.write_comment(&sealed, comment, old.text.expose(), edits);
            }
            format.remove_metadata(&sealed, edits);
        });
        let again = open(format, &bytes);
        assert!(same(&doc, &again), "{text:?} became {:?}", String::from_utf8_lossy(&bytes));
    });
}

#[test]
fn metadata_goes_in_and_out_without_a_trace() {
    each_document(1500, |format, text, doc, _| {
        let placed = edited(&doc, |edits| format.place_metadata(&doc, &metadata(), edits).expect("a place"));
        let placed = open(format, &placed);
        assert!(same(&doc, &placed), "{text:?}");
        let mut other = metadata();
        other.push("zz", Value::str("a # b ; `c` \"d\" "));
        let replaced = edited(&placed, |edits| format.place_metadata(&placed, &other, edits).expect("a place"));
        let replaced = open(format, &replaced);
        assert!(replaced.metadata.as_ref().unwrap().same(&other), "{text:?}");
        for doc in [&placed, &replaced] {
            let bytes = edited(doc, |edits| format.remove_metadata(doc, edits));
            assert_eq!(String::from_utf8_lossy(&bytes), text);
        }
    });
}

fn value(random: &mut Random, nested: bool) -> Value {
    match random.below(if nested { 8 } else { 5 }) {
        0..5 => Value::Str(SecretBytes::from(
            random.text(&["a", " ", "=", "#", ";", "\"", "'", "`", "\n", "é", "\t", "[", "{", ":", "\\"], 6),
        )),
        5 => Value::Int(-7),
        6 => Value::Map(Map::default()),
        _ => {
            let mut map = Map::default();
            map.push("x", Value::Null);
            map.push("y", Value::Float(0.5));
            Value::Map(map)
        }
    }
}

/// The tree after the same change, made on the tree.
fn at<'a>(root: &'a mut Map, path: &Path) -> Option<&'a mut Value> {
    let (first, rest) = path.0.split_first()?;
    let Step::Key(key) = first else { return None };
    let mut value = &mut root.get_mut(key)?.value;
    for step in rest {
        value = match (step, value) {
            (Step::Key(key), Value::Map(map)) => &mut map.get_mut(key)?.value,
            (Step::Index(index), Value::List(list)) => match list.items.get_mut(*index)? {
                Element::Node(node) => &mut node.value,
                Element::Comment(_) => return None,
            },
            _ => return None,
        };
    }
    Some(value)
}

fn check_edit(doc: &Document, format: &dyn Format, text: &str, edits: Edits, change: impl FnOnce(&mut Map)) {
    let bytes = edits.apply(text.as_bytes()).expect("one edit cannot overlap").into_inner();
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let again = format.parse(SecretBytes::new(bytes)).unwrap_or_else(|error| panic!("{error}: {text:?} -> {shown:?}"));
    let mut expected = parse(format, text.as_bytes());
    change(&mut expected.branches[0].root);
    assert!(same(&expected, &again), "{}: {text:?} -> {shown:?}", doc.format.name());
}

#[test]
fn edits_read_back_as_the_edited_tree() {
    each_document(1500, |format, text, doc, random| {
        let walk = Walk::of(&doc);
        let nested = format.name() == "json";
        let new = value(random, nested);
        let entry = Entry { key: "new key".into(), key_span: document::Span::default(), value: Node::new(copy(&new)) };
        let parent = &walk.maps[random.below(walk.maps.len())];
        let mut edits = Edits::new();
        if format.insert(&doc, 0, parent, Insert::Entry(&entry), &mut edits).is_ok() {
            check_edit(&doc, format, text, edits, |root| match at(root, parent) {
                Some(Value::Map(map)) => map.push("new key", copy(&new)),
                _ => root.push("new key", copy(&new)),
            });
        }
        if !walk.lists.is_empty() {
            let parent = &walk.lists[random.below(walk.lists.len())];
            let mut edits = Edits::new();
            format.insert(&doc, 0, parent, Insert::Element(&new), &mut edits).expect("an element");
            check_edit(&doc, format, text, edits, |root| {
                let Some(Value::List(list)) = at(root, parent) else { panic!("a list") };
                list.items.push(Element::Node(Node::new(copy(&new))));
            });
        }
        let Some((path, node)) = walk.leaves.get(random.below(walk.leaves.len().max(1))) else { return };
        // Of sections with one name, a path means the first.
        if !is_first(&doc, path, node) {
            return;
        }
        let mut edits = Edits::new();
        if format.replace(&doc, 0, path, &new, &mut edits).is_ok() {
            check_edit(&doc, format, text, edits, |root| {
                if let Some(value) = at(root, path) {
                    *value = if nested { copy(&new) } else { Value::Str(SecretBytes::new(bytes(&new))) };
                }
            });
        }
        let mut edits = Edits::new();
        format.remove(&doc, 0, path, &mut edits).expect("a leaf that is there");
        check_edit(&doc, format, text, edits, |root| take(root, path));
    });
}

fn is_first(doc: &Document, path: &Path, node: &Node) -> bool {
    let Some(Step::Key(first)) = path.0.first() else { return false };
    let top = doc.branches[0].root.get(first).expect("the path of a leaf").site.span;
    top.start <= node.site.span.start && node.site.span.end <= top.end
}

fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Str(text) => text.expose().to_vec(),
        _ => panic!("only strings in flat formats"),
    }
}

fn copy(value: &Value) -> Value {
    match value {
        Value::Str(text) => Value::Str(text.duplicate()),
        Value::Int(value) => Value::Int(*value),
        Value::Float(value) => Value::Float(*value),
        Value::Map(map) => {
            let mut out = Map::default();
            map.entries().for_each(|entry| out.push(&entry.key, copy(&entry.value.value)));
            Value::Map(out)
        }
        _ => Value::Null,
    }
}

fn take(root: &mut Map, path: &Path) {
    let (last, parent) = path.0.split_last().expect("a leaf has a path");
    let mut top = Value::Map(std::mem::take(root));
    let parent = Path(parent.to_vec());
    {
        let holder = match (&mut top, parent.0.is_empty()) {
            (top, true) => top,
            (Value::Map(map), false) => at(map, &parent).expect("the parent"),
            _ => panic!("the root is a map"),
        };
        match (holder, last) {
            (Value::Map(map), Step::Key(key)) => {
                let index = map.items.iter().position(|item| matches!(item, Item::Entry(entry) if entry.key == *key));
                map.items.remove(index.expect("the entry"));
            }
            (Value::List(list), Step::Index(index)) => {
                list.items.remove(*index);
            }
            _ => panic!("a path into a collection"),
        }
    }
    if let Value::Map(map) = top {
        *root = map;
    }
}
