//! Between the document tree, which keeps secrets, and serde values, which hold public parts only.

use document::{Element, Item, List, Map, Node, Value};

/// A tree as a serde value. Only for what is public: ciphertext, metadata, names.
pub(crate) fn to_json(map: &Map) -> serde_json::Value {
    let members = map.entries().map(|entry| (entry.key.to_string(), value_to_json(&entry.value.value)));
    serde_json::Value::Object(members.collect())
}

fn value_to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Int(int) => (*int).into(),
        Value::Float(float) => (*float).into(),
        Value::Str(bytes) => String::from_utf8_lossy(bytes.expose()).into(),
        Value::Time(time) => time.as_ref().into(),
        Value::Map(map) => to_json(map),
        Value::List(list) => list.nodes().map(|node| value_to_json(&node.value)).collect::<Vec<_>>().into(),
    }
}

/// A serde value as a tree.
pub(crate) fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(bool) => Value::Bool(*bool),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        serde_json::Value::String(text) => Value::str(text),
        serde_json::Value::Array(items) => {
            let element = |item| Element::Node(Node::new(from_json(item)));
            Value::List(List { items: items.iter().map(element).collect() })
        }
        serde_json::Value::Object(members) => {
            let mut map = Map::default();
            members.iter().for_each(|(key, value)| map.push(key, from_json(value)));
            Value::Map(map)
        }
    }
}

/// The map under `key`, if there is one.
pub(crate) fn map<'m>(map: &'m Map, key: &str) -> Option<&'m Map> {
    map.get(key).and_then(|node| node.value.as_map())
}

/// The text under `key`, if there is one.
pub(crate) fn text<'m>(map: &'m Map, key: &str) -> Option<&'m str> {
    map.get(key).and_then(|node| node.value.as_str())
}

/// Sorts every map bytewise by key, as an API server hands them back, and drops comments, which it drops too.
/// Whether anything stood in another order.
pub(crate) fn sort(map: &mut Map) -> bool {
    map.items.retain(|item| matches!(item, Item::Entry(_)));
    let sorted = map.entries().zip(map.entries().skip(1)).all(|(a, b)| a.key <= b.key);
    map.items.sort_by(|a, b| key(a).cmp(key(b)));
    let mut moved = !sorted;
    for item in &mut map.items {
        if let Item::Entry(entry) = item {
            entry.value.alias = None;
            moved |= sort_value(&mut entry.value.value);
        }
    }
    moved
}

fn sort_value(value: &mut Value) -> bool {
    match value {
        Value::Map(map) => sort(map),
        Value::List(list) => {
            list.items.retain(|item| matches!(item, Element::Node(_)));
            let nodes = list.items.iter_mut().map(|item| match item {
                Element::Node(node) => sort_value(&mut node.value),
                Element::Comment(_) => false,
            });
            nodes.fold(false, |moved, inner| moved | inner)
        }
        _ => false,
    }
}

fn key(item: &Item) -> &str {
    match item {
        Item::Entry(entry) => &entry.key,
        Item::Comment(_) => "",
    }
}

/// A document around a tree, in the JSON format, which takes any tree.
pub(crate) fn document(root: Map) -> document::Document {
    document::Document {
        source: secret::SecretBytes::default(),
        branches: vec![document::Branch { root, site: document::Site::default() }],
        metadata: None,
        metadata_spans: Vec::new(),
        format: &document::format::Json,
    }
}
