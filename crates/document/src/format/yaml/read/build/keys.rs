//! Keys: strings only, each once; and what a merge key may hold.

use std::collections::HashSet;

use super::super::raw::{Content, Id, Raw, Tag};
use super::super::resolve;
use super::super::scan::Result;
use super::Builder;
use crate::{Entry, FormatError, Item, Problem, Span, Style, Value};

/// Up to this many entries, comparing each with each is faster than hashing.
const FEW: usize = 12;

/// Refuses the second of two equal keys.
pub(super) fn check_unique(source: &[u8], items: &[Item]) -> Result<()> {
    let entries = || {
        items.iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(entry),
            Item::Comment(_) => None,
        })
    };
    let second = if items.len() <= FEW {
        entries().enumerate().find(|(number, entry)| entries().take(*number).any(|other| other.key == entry.key))
    } else {
        let mut seen = HashSet::with_capacity(items.len());
        entries().enumerate().find(|(_, entry)| !seen.insert(&*entry.key))
    };
    match second {
        None => Ok(()),
        Some((_, Entry { key_span, .. })) => {
            let what = "key stands here a second time";
            Err(Box::new(FormatError::at(source, key_span.start as usize, Problem::Syntax, what)))
        }
    }
}

impl Builder<'_, '_> {
    /// The text of a key.
    pub(super) fn key(&mut self, id: Id) -> Result<Box<str>> {
        let written = self.raw(id);
        let at = written.site.span.start;
        self.count(at)?;
        let raw = match written.content {
            Content::Alias(target) => self.raw(target),
            _ => written,
        };
        let Content::Scalar(text) = raw.content else {
            let kind = if matches!(raw.content, Content::Map(_)) { "map" } else { "list" };
            let what = format!("key is a {kind}, not a string");
            return Err(if self.is_first { self.syntax(at, &what) } else { self.refuse(at, &what) });
        };
        let text = self.texts.get(text);
        let is_alias = matches!(written.content, Content::Alias(_));
        if is_alias && !self.budget.copy(text.len()) {
            return Err(self.too_much(at));
        }
        if raw.tag == Tag::None && (raw.site.style != Style::Plain || resolve::is_string(text)) {
            return self.key_text(at, text);
        }
        match resolve::scalar(raw.tag, raw.site.style, text, self.whole) {
            Some(Value::Str(text)) => self.key_text(at, text.expose()),
            Some(other) => {
                let article = if other.kind() == "integer" { "an" } else { "a" };
                Err(self.refuse(at, &format!("key is {article} {}, not a string", other.kind())))
            }
            None => Err(self.refuse(at, "key does not fit its tag")),
        }
    }

    fn key_text(&self, at: u32, text: &[u8]) -> Result<Box<str>> {
        std::str::from_utf8(text).map(Into::into).map_err(|_| self.refuse(at, "key is not UTF-8"))
    }

    /// Refuses a merge key that holds anything but maps.
    pub(super) fn check_merge(&self, children: Span) -> Result<()> {
        if !self.is_first {
            return Ok(());
        }
        for pair in self.raws.children[children.range()].chunks_exact(2) {
            if !self.is_merge(self.raw(pair[0])) {
                continue;
            }
            let value = self.raw(pair[1]);
            let holds_maps = match value.content {
                Content::List(items) => {
                    self.raws.children[items.range()].iter().all(|item| self.is_map(self.raw(*item)))
                }
                _ => self.is_map(value),
            };
            if !holds_maps {
                return Err(self.refuse(value.site.span.start, "merge key holds something else than maps"));
            }
        }
        Ok(())
    }

    fn is_merge(&self, raw: &Raw) -> bool {
        let Content::Scalar(text) = raw.content else { return false };
        let untagged = raw.tag == Tag::None && raw.site.style == Style::Plain;
        (untagged || raw.tag == Tag::Merge) && self.texts.get(text) == b"<<"
    }

    /// Whether it is a map or an alias of one.
    fn is_map(&self, raw: &Raw) -> bool {
        match raw.content {
            Content::Map(_) => true,
            Content::Alias(target) => matches!(self.raw(target).content, Content::Map(_)),
            _ => false,
        }
    }
}
