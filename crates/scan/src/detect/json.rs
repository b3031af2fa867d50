//! Just enough JSON to know which strings belong to which object. Comments, trailing commas and text around it do no
//! harm.

use std::ops::Range;

/// A member of an object whose value is a string.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Which object, by number.
    pub object: usize,
    /// The key, without quotes.
    pub key: Range<usize>,
    /// The string, without quotes.
    pub value: Range<usize>,
}

/// An object and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// The object around it, if any.
    pub parent: Option<usize>,
    /// The key it has there; lists in between do not count.
    pub key: Range<usize>,
}

/// All objects, and all members that are strings.
#[derive(Clone, Debug, Default)]
pub(super) struct Json {
    /// In order of their opening braces.
    pub objects: Vec<Object>,
    /// In order of place.
    pub members: Vec<Member>,
}

impl Json {
    /// Reads `text` once.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut json = Self::default();
        let mut open: Vec<usize> = Vec::new();
        let mut key: Option<Range<usize>> = None;
        let mut awaiting_value = false;
        let mut at = 0;
        while let Some(ahead) = text.get(at..).and_then(|rest| rest.iter().position(|byte| SIGNS[usize::from(*byte)])) {
            at += ahead;
            match text[at] {
                b'"' => {
                    let end = string_end(text, at + 1);
                    let range = at + 1..end;
                    match (&key, awaiting_value, open.last()) {
                        (Some(name), true, Some(&object)) => {
                            json.members.push(Member { object, key: name.clone(), value: range });
                            awaiting_value = false;
                        }
                        _ => key = Some(range),
                    }
                    at = end;
                }
                b':' => awaiting_value = key.is_some(),
                b'{' => {
                    json.objects.push(Object { parent: open.last().copied(), key: key.clone().unwrap_or_default() });
                    open.push(json.objects.len() - 1);
                    (key, awaiting_value) = (None, false);
                }
                b'}' => {
                    let closed = open.pop();
                    key = closed.map(|object| json.objects[object].key.clone());
                    awaiting_value = false;
                }
                b',' => awaiting_value = false,
                _ => {}
            }
            at += 1;
        }
        json
    }
}

fn string_end(text: &[u8], mut at: usize) -> usize {
    while let Some(ahead) = text.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b'\n', rest)) {
        at += ahead;
        if text[at] != b'\\' {
            return at;
        }
        at += 2;
    }
    text.len()
}

/// The bytes that mean something outside of strings.
static SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let all = b"\":{},";
    let mut index = 0;
    while index < all.len() {
        signs[all[index] as usize] = true;
        index += 1;
    }
    signs
};
