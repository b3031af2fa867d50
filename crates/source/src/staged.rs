//! What will be committed: the index against HEAD.

mod compare;
pub(crate) mod index;

pub(crate) use index::read as read_index;

use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

use bstr::BString;
use gix::ObjectId;
use scan::{Lines, Origin, Place, Presence, Visitor};

use crate::feed::{self, Feed, Part};
use crate::objects::Objects;
use crate::renames::{self, Side};
use crate::repository::Repository;
use crate::{Limits, Source, SourceError, lines};

/// Blobs above this size are not compared for renames or line by line.
pub(crate) const COMPARED_BYTES: u64 = 64 << 20;

/// The index against the tree of HEAD. Contents come from the object store, not from the work tree, so what is scanned
/// is what will be committed.
#[derive(Debug)]
pub struct Staged<'r> {
    /// The repository.
    pub repository: &'r Repository,
    /// Another index file: `GIT_INDEX_FILE`, which `git commit FILE` sets for its hook.
    pub index_file: Option<PathBuf>,
    /// Only paths below this folder of the repository; empty: all.
    pub under: BString,
    /// Limits.
    pub limits: Limits,
}

/// One path that differs from HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Path from the repository's root.
    pub path: BString,
    /// The blob that HEAD has there, if it has one.
    pub old: Option<ObjectId>,
    /// The staged blob; `None` if the path will be removed.
    pub new: Option<ObjectId>,
    /// 0, or the stage of a merge conflict (1 base, 2 ours, 3 theirs).
    pub stage: u8,
    /// The removed path that this new one was made from.
    pub renamed_from: Option<(BString, ObjectId)>,
    /// Whether the staged entry is a regular file (not a symbolic link).
    pub regular: bool,
}

impl<'r> Staged<'r> {
    /// The whole index of a repository.
    pub fn new(repository: &'r Repository) -> Self {
        Self { repository, index_file: None, under: BString::default(), limits: Limits::default() }
    }

    /// What differs, in order of path. Submodules are left out. The index is read once, and only those trees of HEAD
    /// that the index itself does not know to be unchanged.
    ///
    /// # Errors
    /// When the index or a tree of HEAD cannot be read.
    pub fn changes(&self) -> Result<Vec<Change>, SourceError> {
        let objects = self.repository.objects();
        let index = index::read(self.repository, self.index_file.as_deref())?;
        let head = index::head_tree(self.repository, &objects)?;
        let mut changes = compare::changes(&objects, index.as_deref(), head)?;
        if !self.under.is_empty() {
            let folder = BString::from([self.under.as_slice(), b"/"].concat());
            changes.retain(|change| change.path == self.under || change.path.starts_with(&folder));
        }
        find_renames(&objects, &mut changes);
        Ok(changes)
    }
}

impl Source for Staged<'_> {
    fn each<'s>(&self, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Result<(), SourceError> {
        let changes = self.changes()?;
        let objects = self.repository.objects();
        let mut visitor = new_visitor();
        let mut feed = Feed { limits: &self.limits, visitor: &mut *visitor };
        for change in changes {
            let Some(new) = change.new else { continue };
            let old = change.old.or(change.renamed_from.as_ref().map(|from| from.1));
            let Some(bytes) = load(&objects, new, &change.path, &mut feed) else { continue };
            visit(&mut feed, &change.path, &bytes, &mut || old.and_then(|old| objects.blob(old, COMPARED_BYTES).ok()));
        }
        Ok(())
    }
}

/// A blob's bytes; names it if it cannot be read.
fn load(objects: &Objects, id: ObjectId, path: &BString, feed: &mut Feed<'_>) -> Option<Vec<u8>> {
    let read = objects.header(id).and_then(|(size, _)| {
        let large = feed.limits.too_large(size);
        if large { Ok(None) } else { objects.blob(id, u64::MAX).map(Some) }
    });
    match read {
        Ok(Some(bytes)) => Some(bytes),
        Ok(None) => {
            feed.skipped(path, "larger than the limit");
            None
        }
        Err(error) => {
            feed.unread(path, error);
            None
        }
    }
}

/// Hands over one content and, where something was found in it, its added lines.
pub(crate) fn visit(feed: &mut Feed<'_>, path: &BString, bytes: &[u8], old: &mut dyn FnMut() -> Option<Vec<u8>>) {
    let origin = Origin { path: path.clone(), symlink: None, place: Place::Index, presence: Presence::Unknown };
    let mut ranges: Option<Option<Vec<Range<usize>>>> = None;
    feed.whole(bytes, std::slice::from_ref(path), None, &mut |visitor: &mut dyn Visitor, part: Part| {
        if part.seen.is_settled() {
            return;
        }
        let ranges = ranges.get_or_insert_with(|| old().map(|old| lines::added(&old, bytes)));
        feed::place(visitor, &part, &origin, ranges.as_deref().map_or(Lines::All, Lines::Added));
        if let Some(ranges) = ranges {
            let whole = std::slice::from_ref(&part);
            feed::excerpts(visitor, whole, path, bytes, ranges, &mut |visitor, part| {
                feed::place(visitor, &part, &origin, Lines::Added(ranges));
            });
        }
    });
}

fn find_renames(objects: &Objects, changes: &mut [Change]) {
    let side = |change: &Change, id: ObjectId| Side { path: change.path.clone(), id, regular: change.regular };
    let gone: Vec<Side> = changes
        .iter()
        .filter(|change| change.new.is_none())
        .filter_map(|change| Some(side(change, change.old?)))
        .collect();
    if gone.is_empty() {
        return;
    }
    let is_new = |change: &Change| change.old.is_none() && change.new.is_some();
    let new: Vec<Side> =
        changes.iter().filter(|change| is_new(change)).filter_map(|change| Some(side(change, change.new?))).collect();
    let pairs = renames::pair(&gone, &new, &mut |id| objects.blob(id, COMPARED_BYTES).ok().map(Rc::from));
    for (change, pair) in changes.iter_mut().filter(|change| is_new(change)).zip(pairs) {
        change.renamed_from = pair.map(|index| (gone[index].path.clone(), gone[index].id));
    }
}
