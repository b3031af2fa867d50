//! The index against a tree, by ids: folders that the index knows to be equal are not read.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;
use gix::index::entry::{Flags, Mode};
use gix::index::{Entry, State, extension::Tree};
use gix::objs::tree::{EntryKind, EntryMode};

use super::Change;
use crate::SourceError;
use crate::objects::Objects;

/// Trees nested deeper than this are refused.
const DEEPEST: usize = 2048;

/// A tree may stand in others over and over; so many entries are looked at once more.
const MOST_AGAIN: usize = 1 << 18;

/// Everything that differs, in order of path.
pub(super) fn changes(
    objects: &Objects,
    index: Option<&gix::index::File>,
    head: ObjectId,
) -> Result<Vec<Change>, SourceError> {
    let index_state = index.map(|file| &**file);
    let mut comparison =
        Comparison { objects, index: index_state, changes: Vec::new(), read: HashSet::new(), again: 0 };
    let entries = index.map_or(&[][..], |file| file.entries());
    let cached = index.and_then(|file| file.tree());
    comparison.folder(b"".as_bstr(), entries, cached, Some(head), 0)?;
    let mut changes = comparison.changes;
    changes.sort_by(|a, b| a.path.cmp(&b.path).then(a.stage.cmp(&b.stage)));
    Ok(changes)
}

struct Comparison<'c> {
    objects: &'c Objects,
    index: Option<&'c State>,
    changes: Vec<Change>,
    /// Trees that were read, and how many entries were so again.
    read: HashSet<ObjectId>,
    again: usize,
}

type Names = HashMap<BString, (EntryMode, ObjectId)>;

impl Comparison<'_> {
    /// One folder: `prefix` is empty or ends in `/`, and all of `entries` begin with it.
    fn folder(
        &mut self,
        prefix: &BStr,
        entries: &[Entry],
        cached: Option<&Tree>,
        tree: Option<ObjectId>,
        depth: usize,
    ) -> Result<(), SourceError> {
        let known = cached.filter(|cached| cached.num_entries.is_some()).map(|cached| cached.id);
        if known.is_some() && known == tree {
            return Ok(());
        }
        if depth > DEEPEST {
            return Err(SourceError::TooLarge { what: prefix.to_owned(), limit: DEEPEST as u64 });
        }
        let mut names = self.names(tree)?;
        let index = self.index;
        let path_of = |entry: &Entry| path(index, entry);
        let mut rest = entries;
        while let Some(entry) = rest.first() {
            let path = path_of(entry);
            let inside = &path[prefix.len()..];
            let count = match memchr::memchr(b'/', inside) {
                Some(at) if at + 1 < inside.len() => {
                    let folder = path[..=prefix.len() + at].as_bstr();
                    let name = inside[..at].as_bstr();
                    let count = rest.partition_point(|entry| path_of(entry).starts_with(folder));
                    let tree = take_tree(&mut names, name);
                    let cached = cached.and_then(|cached| child(cached, name));
                    self.folder(folder, &rest[..count], cached, tree, depth + 1)?;
                    count
                }
                _ => self.file(path, inside.as_bstr(), rest, &mut names, depth)?,
            };
            rest = &rest[count..];
        }
        for (name, (mode, id)) in names {
            let path = BString::from([prefix.as_bytes(), &name].concat());
            self.removed(path, mode, id, depth)?;
        }
        Ok(())
    }

    /// One path directly in a folder, with all its stages; gives the number of entries.
    fn file(
        &mut self,
        path: &BStr,
        name: &BStr,
        rest: &[Entry],
        names: &mut Names,
        depth: usize,
    ) -> Result<usize, SourceError> {
        let count = rest.iter().take_while(|entry| self::path(self.index, entry) == path).count().max(1);
        if rest[0].mode == Mode::DIR {
            // A folder outside the sparse checkout, kept as a whole.
            let name = name.strip_suffix(b"/").unwrap_or(name);
            let old = take_tree(names, name.as_bstr());
            if old != Some(rest[0].id) {
                self.trees(path, old, rest[0].id, depth)?;
            }
            return Ok(count);
        }
        let old = names.get(name).copied().filter(|(mode, _)| !mode.is_tree());
        if old.is_some() {
            names.remove(name);
        }
        for entry in &rest[..count] {
            let unborn = entry.flags.contains(Flags::INTENT_TO_ADD);
            let mode = entry.mode.to_tree_entry_mode().filter(|mode| mode.is_blob_or_symlink());
            let new = mode.filter(|_| !unborn).map(|mode| (mode, entry.id));
            self.differs(path, old, new, entry.stage_raw());
        }
        Ok(count)
    }

    fn differs(
        &mut self,
        path: &BStr,
        old: Option<(EntryMode, ObjectId)>,
        new: Option<(EntryMode, ObjectId)>,
        stage: u32,
    ) {
        let old = old.filter(|(mode, _)| mode.is_blob_or_symlink());
        if old.map(|old| old.1) == new.map(|new| new.1) {
            return;
        }
        let regular = new.or(old).is_some_and(|(mode, _)| mode.is_blob());
        // A file that becomes a link, or the other way round, is new as a whole.
        let same_kind = old.zip(new).is_none_or(|(old, new)| old.0.is_link() == new.0.is_link());
        let old = old.filter(|_| same_kind).map(|old| old.1);
        let stage = u8::try_from(stage).unwrap_or(0);
        let new = new.map(|new| new.1);
        self.changes.push(Change { path: path.to_owned(), old, new, stage, renamed_from: None, regular });
    }

    /// A path of HEAD that the index no longer has.
    fn removed(&mut self, path: BString, mode: EntryMode, id: ObjectId, depth: usize) -> Result<(), SourceError> {
        if mode.is_tree() {
            let folder = BString::from([path.as_slice(), b"/"].concat());
            return self.folder(folder.as_bstr(), &[], None, Some(id), depth + 1);
        }
        self.differs(path.as_bstr(), Some((mode, id)), None, 0);
        Ok(())
    }

    /// Two trees, for folders that the index keeps as a whole.
    fn trees(&mut self, prefix: &BStr, old: Option<ObjectId>, new: ObjectId, depth: usize) -> Result<(), SourceError> {
        if depth > DEEPEST {
            return Err(SourceError::TooLarge { what: prefix.to_owned(), limit: DEEPEST as u64 });
        }
        let mut names = self.names(old)?;
        for entry in self.objects.tree(new)? {
            let path = BString::from([prefix.as_bytes(), &entry.name].concat());
            if entry.mode.is_tree() {
                let old = take_tree(&mut names, entry.name.as_bstr());
                if old != Some(entry.id) {
                    let folder = BString::from([path.as_slice(), b"/"].concat());
                    self.trees(folder.as_bstr(), old, entry.id, depth + 1)?;
                }
                continue;
            }
            let old = names.remove(&entry.name);
            let new = Some((entry.mode, entry.id)).filter(|(mode, _)| mode.is_blob_or_symlink());
            self.differs(path.as_bstr(), old.filter(|(mode, _)| !mode.is_tree()), new, 0);
        }
        for (name, (mode, id)) in names {
            self.removed(BString::from([prefix.as_bytes(), &name].concat()), mode, id, depth)?;
        }
        Ok(())
    }

    fn names(&mut self, tree: Option<ObjectId>) -> Result<Names, SourceError> {
        let Some(tree) = tree else { return Ok(Names::new()) };
        let entries = self.objects.tree(tree)?;
        self.again += if self.read.insert(tree) { 0 } else { entries.len() };
        if self.again > MOST_AGAIN {
            let why = "the trees in it stand at more paths than are followed".to_owned();
            return Err(SourceError::Object { id: tree.to_string(), why });
        }
        Ok(entries.into_iter().map(|entry| (entry.name, (entry.mode, entry.id))).collect())
    }
}

fn path<'i>(index: Option<&'i State>, entry: &Entry) -> &'i BStr {
    index.map_or(b"".as_bstr(), |index| entry.path(index))
}

fn take_tree(names: &mut Names, name: &BStr) -> Option<ObjectId> {
    let (mode, id) = *names.get(name)?;
    if mode.kind() != EntryKind::Tree {
        return None;
    }
    names.remove(name);
    Some(id)
}

fn child<'t>(tree: &'t Tree, name: &BStr) -> Option<&'t Tree> {
    tree.children.iter().find(|child| child.name.as_slice() == name.as_bytes())
}
