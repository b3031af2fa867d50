//! Where a value stands in the tree: keys and list positions from the root.

use std::fmt;

/// One step down the tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into a map, by key.
    Key(Box<str>),
    /// Into a list, by position among the values (comments do not count), from 0.
    Index(usize),
}

/// The steps from a document's root to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path(pub Vec<Step>);

impl fmt::Display for Path {
    /// As SOPS' command line writes it: `["a"][0]`; the root is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Key(key) => write!(f, "[\"{}\"]", key.escape_debug()),
            Step::Index(index) => write!(f, "[{index}]"),
        })
    }
}

impl Path {
    /// The path as an RFC 6901 JSON pointer (`/a/0`).
    pub fn pointer(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            text.push('/');
            match step {
                Step::Key(key) => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => text.push_str(&index.to_string()),
            }
        }
        text
    }
}
