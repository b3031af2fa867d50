//! What each commit changed, by the ids of trees: which blob came to which path, and what was there before.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;
use gix::objs::Kind;

use super::Notes;
use super::choice::{Choice, Kinds};
use super::commits::{Commit, Commits, words};
use super::unfolding::Unfolding;
use crate::pack::reader::Reader;
use crate::renames::Side;

/// Folders nested deeper than this are not entered, but named.
const DEEPEST: usize = 1024;

const TOO_DEEP: &str = "nested too deeply";
const TOO_OFTEN: &str = "it and the trees in it stand at more paths than are followed";

/// "Nothing was there before."
const NONE: u32 = u32::MAX;

/// A blob came to a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub(super) blob: u32,
    pub(super) path: u32,
    pub(super) commit: u32,
    old: u32,
}

/// What was at the path before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing: the path is new, and may have been made from another one.
    Nothing,
    /// Something of another kind, a link or a submodule: everything is new.
    Other,
    /// This blob.
    Blob(ObjectId),
    /// The commit is a merge: ask each parent.
    Parents,
}

/// All changes of all selected commits, and tables of what they name.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// In order of blob, path, commit.
    pub(super) list: Vec<Change>,
    /// Every blob that came anywhere, once.
    pub(super) blobs: Vec<ObjectId>,
    /// Every path, once.
    pub(super) paths: Vec<BString>,
    blob_numbers: HashMap<ObjectId, u32>,
    path_numbers: HashMap<BString, u32>,
    /// Commits that also removed something, so that a new path may be a renamed one.
    removed: HashSet<u32>,
}

const OTHER: u32 = u32::MAX - 1;
const PARENTS: u32 = u32::MAX - 2;

impl Changes {
    /// Compares each commit with its first parent, each merge with all of them; ends early when `stop` says so.
    pub(super) fn find(
        commits: &Commits,
        reader: &mut Reader<'_>,
        notes: &mut Notes,
        stop: &mut dyn FnMut() -> bool,
    ) -> Self {
        let mut changes = Self::default();
        let mut unfolding = Unfolding::until(stop);
        for (number, commit) in commits.list.iter().enumerate() {
            let number = u32::try_from(number).expect("fewer commits than 2^32");
            if unfolding.is_over() {
                break;
            }
            unfolding.begin();
            let mut bad = Bad::default();
            let (path, unfolding) = (BString::default(), &mut unfolding);
            if commit.parents.len() > 1 {
                let mut merge = Merge { reader, bad: &mut bad, unfolding, path, changes: &mut changes, number };
                merge.folder(&commit.parents, commit.tree, 0);
            } else {
                let old = commit.parents.first().copied().flatten();
                let tell = &mut |path: &BStr, old, new| changes.note(number, path, old, new);
                Comparison { reader, bad: &mut bad, unfolding, path, tell }.whole(old, commit.tree);
            }
            bad.tell(notes);
        }
        changes.list.sort_unstable_by_key(|change| (change.blob, change.path, change.commit));
        changes
    }

    fn note(&mut self, commit: u32, path: &BStr, old: Option<Leaf>, new: Option<Leaf>) {
        let Some(new) = new else {
            self.removed.insert(commit);
            return;
        };
        if new.mode == Mode::Submodule || old.is_some_and(|old| old.id == new.id && old.mode == new.mode) {
            return;
        }
        let old = match old {
            None => NONE,
            Some(old) if old.mode == new.mode => self.blob(old.id),
            Some(_) => OTHER,
        };
        self.add(commit, path, old, new.id);
    }

    fn add(&mut self, commit: u32, path: &BStr, old: u32, new: ObjectId) {
        let blob = self.blob(new);
        let path = match self.path_numbers.get(path.as_bytes().as_bstr()) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.paths.len()).expect("fewer paths than 2^32");
                self.paths.push(path.to_owned());
                self.path_numbers.insert(path.to_owned(), number);
                number
            }
        };
        self.list.push(Change { blob, path, commit, old });
    }

    fn blob(&mut self, id: ObjectId) -> u32 {
        *self.blob_numbers.entry(id).or_insert_with(|| {
            self.blobs.push(id);
            u32::try_from(self.blobs.len() - 1).expect("fewer blobs than 2^32")
        })
    }

    /// The changes that brought a blob.
    pub(super) fn of(&self, blob: u32) -> &[Change] {
        let start = self.list.partition_point(|change| change.blob < blob);
        let end = self.list.partition_point(|change| change.blob <= blob);
        &self.list[start..end]
    }

    /// Leaves out what was not asked for.
    pub(super) fn retain(&mut self, choice: &Choice) {
        if choice.paths.is_empty() && choice.kinds == Kinds::default() {
            return;
        }
        let Self { list, paths, .. } = self;
        list.retain(|change| {
            let kind = match change.old {
                NONE => choice.kinds.added,
                OTHER => choice.kinds.retyped,
                _ => choice.kinds.modified,
            };
            kind && choice.paths.hold(paths[change.path as usize].as_bstr())
        });
    }

    /// What was there before a change.
    pub(super) fn before(&self, change: &Change) -> Before {
        match change.old {
            NONE => Before::Nothing,
            OTHER => Before::Other,
            PARENTS => Before::Parents,
            blob => Before::Blob(self.blobs[blob as usize]),
        }
    }

    /// Whether a commit removed a path.
    pub(super) fn removed_something(&self, commit: u32) -> bool {
        self.removed.contains(&commit)
    }
}

/// Removed and new paths between two trees, in order of path, for the detection of renames.
pub(super) fn sides(reader: &mut Reader<'_>, old: Option<ObjectId>, new: ObjectId) -> (Vec<Side>, Vec<Side>) {
    let (mut gone, mut fresh) = (Vec::new(), Vec::new());
    let side = |path: &BStr, leaf: Leaf| Side { path: path.to_owned(), id: leaf.id, regular: leaf.mode == Mode::File };
    let tell = &mut |path: &BStr, old: Option<Leaf>, new: Option<Leaf>| match (old, new) {
        (Some(old), None) if old.mode != Mode::Submodule => gone.push(side(path, old)),
        (None, Some(new)) if new.mode != Mode::Submodule => fresh.push(side(path, new)),
        _ => {}
    };
    let (path, mut bad, mut unfolding) = (BString::default(), Bad::default(), Unfolding::default());
    Comparison { reader, bad: &mut bad, unfolding: &mut unfolding, path, tell }.whole(old, new);
    gone.sort_by(|a, b| a.path.cmp(&b.path));
    fresh.sort_by(|a, b| a.path.cmp(&b.path));
    (gone, fresh)
}

/// The blob at a path of a tree.
pub(super) fn lookup(reader: &mut Reader<'_>, tree: ObjectId, path: &BStr) -> Option<ObjectId> {
    let mut tree = tree;
    let mut parts = path.split_str("/").peekable();
    while let Some(part) = parts.next() {
        let bytes = reader.expect(tree, Kind::Tree).ok()?;
        let mut entries = Entries::new(&bytes, tree.kind());
        let entry = entries.find(|entry| entry.name == part)?;
        match (parts.peek(), entry.mode) {
            (None, Mode::File | Mode::Link) => return Some(entry.id),
            (Some(_), Mode::Tree) => tree = entry.id,
            _ => return None,
        }
    }
    None
}

/// Names and what they stand for, of one tree as it is stored.
pub(super) fn entries(bytes: &[u8], hash: gix::hash::Kind) -> impl Iterator<Item = (&BStr, Leaf)> {
    Entries::new(bytes, hash).map(|entry| (entry.name, entry.leaf()))
}

/// What an entry of a tree is. Whether a file is executable does not matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    File,
    Link,
    Submodule,
    Tree,
}

/// What a name of a tree stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub(super) mode: Mode,
    pub(super) id: ObjectId,
}

#[derive(Clone, Copy)]
struct Entry<'t> {
    mode: Mode,
    name: &'t BStr,
    id: ObjectId,
}

impl Entry<'_> {
    fn leaf(&self) -> Leaf {
        Leaf { mode: self.mode, id: self.id }
    }

    /// The order that trees are in: folders as if their names ended in `/`.
    fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (self.name.as_bytes(), other.name.as_bytes());
        let common = a.len().min(b.len());
        let next =
            |entry: &Self| entry.name.get(common).copied().unwrap_or(if entry.mode == Mode::Tree { b'/' } else { 0 });
        a[..common].cmp(&b[..common]).then_with(|| next(self).cmp(&next(other)))
    }
}

/// The entries of a tree as it is stored; ends early, and says so, where it is damaged.
struct Entries<'t> {
    rest: &'t [u8],
    hash: gix::hash::Kind,
    damaged: bool,
}

impl<'t> Entries<'t> {
    fn new(bytes: &'t [u8], hash: gix::hash::Kind) -> Self {
        Self { rest: bytes, hash, damaged: false }
    }

    fn parse(&mut self) -> Option<Entry<'t>> {
        let space = self.rest.iter().take(8).position(|byte| *byte == b' ')?;
        let mode = match &self.rest[..space] {
            b"40000" | b"040000" => Mode::Tree,
            b"120000" => Mode::Link,
            b"160000" => Mode::Submodule,
            _ => Mode::File,
        };
        let end = space + 1 + memchr::memchr(0, &self.rest[space + 1..])?;
        let id = self.rest.get(end + 1..end + 1 + self.hash.len_in_bytes())?;
        let name = self.rest[space + 1..end].as_bstr();
        self.rest = &self.rest[end + 1 + id.len()..];
        Some(Entry { mode, name, id: ObjectId::from_bytes_or_panic(id) })
    }
}

impl<'t> Iterator for Entries<'t> {
    type Item = Entry<'t>;

    fn next(&mut self) -> Option<Entry<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.parse();
        if entry.is_none() {
            self.rest = &[];
            self.damaged = true;
        }
        entry
    }
}

/// Trees of one commit that could not be read.
#[derive(Default)]
struct Bad(Vec<(ObjectId, &'static str)>);

impl Bad {
    /// A tree that is not followed; the first of a commit is enough.
    fn too_often(&mut self, tree: ObjectId) {
        if !self.0.iter().any(|(_, why)| *why == TOO_OFTEN) {
            self.0.push((tree, TOO_OFTEN));
        }
    }

    fn tell(self, notes: &mut Notes) {
        for (tree, why) in self.0 {
            notes.unread(format!("tree {tree}"), why);
        }
    }
}

fn load(reader: &mut Reader<'_>, bad: &mut Bad, tree: Option<ObjectId>) -> Arc<[u8]> {
    let Some(id) = tree.filter(|id| *id != ObjectId::empty_tree(id.kind())) else { return Arc::default() };
    reader.expect(id, Kind::Tree).unwrap_or_else(|damage| {
        bad.0.push((id, words(damage)));
        Arc::default()
    })
}

type Differ<'d> = &'d mut dyn FnMut(&BStr, Option<Leaf>, Option<Leaf>);

struct Comparison<'c, 'p, 's, 'd> {
    reader: &'c mut Reader<'p>,
    bad: &'c mut Bad,
    unfolding: &'c mut Unfolding<'s>,
    path: BString,
    tell: Differ<'d>,
}

impl Comparison<'_, '_, '_, '_> {
    /// Tells every path at which two trees differ. Folders with equal ids are not read.
    fn whole(&mut self, old: Option<ObjectId>, new: ObjectId) {
        if old != Some(new) {
            self.folder(old, Some(new), 0);
        }
    }

    fn folder(&mut self, old: Option<ObjectId>, new: Option<ObjectId>, depth: usize) {
        let hash = old.or(new).map_or(gix::hash::Kind::Sha1, |id| id.kind());
        if depth > DEEPEST {
            return self.bad.0.push((old.or(new).unwrap_or(hash.null()), TOO_DEEP));
        }
        if !self.unfolding.may_enter(old) || !self.unfolding.may_enter(new) {
            return self.bad.too_often(new.or(old).unwrap_or(hash.null()));
        }
        if self.unfolding.is_over() {
            return;
        }
        let (old_bytes, new_bytes) = (load(self.reader, self.bad, old), load(self.reader, self.bad, new));
        self.unfolding.entered(old, old_bytes.len());
        self.unfolding.entered(new, new_bytes.len());
        let (old_rest, new_rest) = without_common_start(&old_bytes, &new_bytes, hash);
        let (mut old_entries, mut new_entries) = (Entries::new(old_rest, hash), Entries::new(new_rest, hash));
        let (mut left, mut right) = (old_entries.next(), new_entries.next());
        loop {
            let order = match (&left, &right) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.order(right),
            };
            let gone = left.filter(|_| order.is_le());
            let fresh = right.filter(|_| order.is_ge());
            self.entry(gone, fresh, depth);
            if order.is_le() {
                left = old_entries.next();
            }
            if order.is_ge() {
                right = new_entries.next();
            }
        }
        for (id, damaged) in [(old, old_entries.damaged), (new, new_entries.damaged)] {
            self.bad.0.extend(id.filter(|_| damaged).map(|id| (id, "missing or damaged")));
        }
    }

    /// Entries of the same name and order, or one of them.
    fn entry(&mut self, old: Option<Entry<'_>>, new: Option<Entry<'_>>, depth: usize) {
        if let (Some(old), Some(new)) = (&old, &new)
            && old.id == new.id
            && old.mode == new.mode
        {
            return;
        }
        let Some(name) = old.or(new).map(|entry| entry.name) else { return };
        let length = self.path.len();
        if length > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        let is_tree = |entry: &Entry<'_>| entry.mode == Mode::Tree;
        let trees = (old.filter(is_tree).map(|old| old.id), new.filter(is_tree).map(|new| new.id));
        if trees != (None, None) {
            self.folder(trees.0, trees.1, depth + 1);
        }
        let leaves = (old.filter(|old| !is_tree(old)), new.filter(|new| !is_tree(new)));
        if leaves.0.is_some() || leaves.1.is_some() {
            (self.tell)(self.path.as_bstr(), leaves.0.map(|old| old.leaf()), leaves.1.map(|new| new.leaf()));
        }
        self.path.truncate(length);
    }
}

/// Both trees from the first entry on that may differ.
fn without_common_start<'t>(old: &'t [u8], new: &'t [u8], hash: gix::hash::Kind) -> (&'t [u8], &'t [u8]) {
    const BLOCK: usize = 64;
    let blocks = old.chunks_exact(BLOCK).zip(new.chunks_exact(BLOCK)).take_while(|(old, new)| old == new).count();
    let mut entries = Entries::new(old, hash);
    let mut at = 0;
    while at < blocks * BLOCK && entries.next().is_some() {
        let next = old.len() - entries.rest.len();
        if next > blocks * BLOCK || entries.damaged {
            break;
        }
        at = next;
    }
    (&old[at..], &new[at..])
}

/// Finds what a merge has that none of its parents has.
struct Merge<'m, 'p, 's> {
    reader: &'m mut Reader<'p>,
    bad: &'m mut Bad,
    unfolding: &'m mut Unfolding<'s>,
    path: BString,
    changes: &'m mut Changes,
    number: u32,
}

impl Merge<'_, '_, '_> {
    fn folder(&mut self, parents: &[Option<ObjectId>], tree: ObjectId, depth: usize) {
        if parents.contains(&Some(tree)) {
            return;
        }
        if depth > DEEPEST {
            return self.bad.0.push((tree, TOO_DEEP));
        }
        let trees: Vec<Option<ObjectId>> = std::iter::once(Some(tree)).chain(parents.iter().copied()).collect();
        if trees.iter().any(|tree| !self.unfolding.may_enter(*tree)) {
            return self.bad.too_often(tree);
        }
        if self.unfolding.is_over() {
            return;
        }
        let mut loaded: Vec<Arc<[u8]>> = trees.iter().map(|tree| load(self.reader, self.bad, *tree)).collect();
        trees.iter().zip(&loaded).for_each(|(tree, bytes)| self.unfolding.entered(*tree, bytes.len()));
        let theirs = loaded.split_off(1);
        let bytes = &loaded[0];
        let theirs: Vec<HashMap<&BStr, Leaf>> = theirs
            .iter()
            .map(|bytes| Entries::new(bytes, tree.kind()).map(|entry| (entry.name, entry.leaf())).collect())
            .collect();
        let mut entries = Entries::new(bytes, tree.kind());
        for entry in &mut entries {
            let there: Vec<Option<Leaf>> = theirs.iter().map(|names| names.get(entry.name).copied()).collect();
            if !there.iter().flatten().any(|leaf| leaf.id == entry.id && leaf.mode == entry.mode) {
                self.entry(&there, entry, depth);
            }
        }
        if entries.damaged {
            self.bad.0.push((tree, "missing or damaged"));
        }
    }

    fn entry(&mut self, there: &[Option<Leaf>], entry: Entry<'_>, depth: usize) {
        let length = self.path.len();
        if length > 0 {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(entry.name);
        match entry.mode {
            Mode::Tree => {
                let is_tree = |leaf: &Leaf| leaf.mode == Mode::Tree;
                let parents: Vec<_> = there.iter().map(|leaf| leaf.filter(is_tree).map(|leaf| leaf.id)).collect();
                self.folder(&parents, entry.id, depth + 1);
            }
            Mode::Submodule => {}
            Mode::File | Mode::Link => {
                let path = std::mem::take(&mut self.path);
                self.changes.add(self.number, path.as_bstr(), PARENTS, entry.id);
                self.path = path;
            }
        }
        self.path.truncate(length);
    }
}

impl Commit {
    /// The parents' trees, a missing one as the empty tree.
    pub(super) fn parent_trees(&self) -> impl Iterator<Item = ObjectId> + '_ {
        let empty = ObjectId::empty_tree(self.tree.kind());
        self.parents.iter().map(move |parent| parent.unwrap_or(empty))
    }
}
