//! Metadata as a small tree of its own that can be copied, compared and kept though we do not know it.

use document::{Element, Item, List, Map, Node, Value};

/// A metadata value. Metadata is public; nothing here is secret.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Field {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Field>),
    Map(Fields),
}

/// An ordered map of fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(pub(crate) Vec<(String, Field)>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, field)| field)
    }

    /// The text of a scalar, however its format carried it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Field::text)
    }

    /// Sets `name` where it stands, or inserts it so that a sorted map stays sorted.
    pub(crate) fn set(&mut self, name: &str, field: Field) {
        if let Some((_, old)) = self.0.iter_mut().find(|(key, _)| key == name) {
            *old = field;
            return;
        }
        let at = self.0.iter().position(|(key, _)| key.as_str() > name).unwrap_or(self.0.len());
        self.0.insert(at, (name.to_owned(), field));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    pub(crate) fn from_map(map: &Map) -> Self {
        Self(map.entries().map(|entry| (entry.key.to_string(), Field::from_value(&entry.value.value))).collect())
    }

    pub(crate) fn to_map(&self) -> Map {
        let mut map = Map::default();
        for (key, field) in &self.0 {
            map.push(key, field.to_value());
        }
        map
    }
}

impl Field {
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(bool) => Some(bool.to_string()),
            Self::Int(int) => Some(int.to_string()),
            Self::Float(float) => Some(document::number::positional(*float)),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&Fields> {
        match self {
            Self::Map(fields) => Some(fields),
            _ => None,
        }
    }

    /// Whether SOPS would leave the field out: null, empty, zero or false.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(bool) => !bool,
            Self::Int(int) => *int == 0,
            Self::Float(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(fields) => fields.0.is_empty(),
        }
    }

    fn from_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Int(int) => Self::Int(*int),
            Value::Float(float) => Self::Float(*float),
            Value::Str(bytes) => Self::Text(String::from_utf8_lossy(bytes.expose()).into_owned()),
            Value::Time(time) => Self::Text(time.to_string()),
            Value::List(list) => Self::List(list.nodes().map(|node| Self::from_value(&node.value)).collect()),
            Value::Map(map) => Self::Map(Fields::from_map(map)),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Int(int) => Value::Int(*int),
            Self::Float(float) => Value::Float(*float),
            Self::Text(text) => Value::str(text),
            Self::List(items) => {
                let node = |item: &Self| Element::Node(Node::new(item.to_value()));
                Value::List(List { items: items.iter().map(node).collect() })
            }
            Self::Map(fields) => Value::Map(fields.to_map()),
        }
    }
}

/// Whether a map of the tree has an unquoted timestamp under `name`: SOPS refuses `lastmodified` written so.
pub(crate) fn is_time(map: &Map, name: &str) -> bool {
    map.items.iter().any(
        |item| matches!(item, Item::Entry(entry) if &*entry.key == name && matches!(entry.value.value, Value::Time(_))),
    )
}
