//! For what was found: every commit that brought it, with the lines that were new there.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::objs::Kind;
use scan::{Lines, Origin, Place, Presence, Visitor};

use super::blobs::Found;
use super::changes::{self, Before, Change};
use super::presence::Present;
use super::refs::Refs;
use super::{Context, info, lock};
use crate::feed::{self, Part};
use crate::lines;
use crate::pack::reader::Reader;
use crate::renames;

/// New path and what it was made from, of one pair of trees.
type Renames = Arc<HashMap<BString, ObjectId>>;

/// What several workers would otherwise work out again.
#[derive(Default)]
struct Shared {
    commits: Mutex<HashMap<u32, Arc<scan::Commit>>>,
    renames: Mutex<HashMap<(ObjectId, ObjectId), Renames>>,
}

/// Tells the places of everything found.
pub(super) fn visit<'s>(
    context: &Context<'_>,
    refs: &Refs,
    found: Found,
    new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync),
) {
    let mut changes: Vec<Change> = found.keys().flat_map(|blob| context.changes.of(*blob)).copied().collect();
    // Versions of one path, newest first, lie next to each other in packs.
    changes.sort_unstable_by_key(|change| (change.path, change.commit, change.blob));
    let groups: Vec<&[Change]> = changes.chunk_by(|a, b| a.path == b.path).collect();
    if groups.is_empty() {
        return;
    }
    let paths: Vec<u32> = groups.iter().map(|group| group[0].path).collect();
    let present = Present::find(context, refs, &paths, &mut context.reader());
    let shared = Shared::default();
    context.share(groups.len(), new_visitor, &|item, reader, visitor| {
        let mut group = Group {
            context,
            shared: &shared,
            reader,
            visitor,
            diffs: HashMap::new(),
            tips: present.path(groups[item][0].path),
        };
        for change in groups[item] {
            group.change(change, &found[&change.blob]);
        }
    });
}

/// All that came to one path.
struct Group<'g, 'c, 's> {
    context: &'g Context<'c>,
    shared: &'g Shared,
    reader: &'g mut Reader<'c>,
    visitor: &'g mut (dyn Visitor + 's),
    diffs: HashMap<(ObjectId, ObjectId), Ranges>,
    tips: super::presence::Tips<'g>,
}

/// `None`: all lines.
type Ranges = Option<Rc<Vec<Range<usize>>>>;

impl Group<'_, '_, '_> {
    fn change(&mut self, change: &Change, parts: &[Part]) {
        let new = self.context.changes.blobs[change.blob as usize];
        let ranges = match self.context.changes.before(change) {
            Before::Other => None,
            Before::Blob(old) => self.added(Some(old), new),
            Before::Nothing => {
                let old = self.made_from(change);
                self.added(old, new)
            }
            Before::Parents => self.merged(change, new),
        };
        if ranges.as_ref().is_some_and(|ranges| ranges.is_empty()) {
            return;
        }
        let place = Place::Commit(self.commit(change.commit));
        let path = self.context.changes.paths[change.path as usize].clone();
        let origin = Origin { path, symlink: None, place, presence: Presence::Unknown };
        for part in parts.iter().filter(|part| !part.seen.is_quiet()) {
            self.part(part, new, &origin, ranges.as_ref().map(|ranges| ranges.as_slice()));
        }
        if let Some(ranges) = ranges.filter(|_| self.visitor.wants_excerpts()) {
            self.excerpts(parts, new, &origin, &ranges);
        }
    }

    /// Tells what added lines hold alone beyond what the whole content does.
    fn excerpts(&mut self, parts: &[Part], blob: ObjectId, origin: &Origin, ranges: &[Range<usize>]) {
        let Ok(bytes) = self.reader.expect(blob, Kind::Blob) else { return };
        let mut found = Vec::new();
        feed::excerpts(self.visitor, parts, &origin.path, &bytes, ranges, &mut |_, part| found.push(part));
        for part in found {
            self.part(&part, blob, origin, Some(ranges));
        }
    }

    /// Tells one part's place: twice, if some of its candidates are still there and others are not.
    fn part(&mut self, part: &Part, blob: ObjectId, origin: &Origin, ranges: Option<&[Range<usize>]>) {
        let spans = part.seen.candidates.iter().map(|candidate| candidate.span.start_line..candidate.span.end_line + 1);
        let touched = spans
            .filter(|span| ranges.is_none_or(|ranges| !lines::common(ranges, std::slice::from_ref(span)).is_empty()));
        let touched = if part.inner.is_empty() { touched.collect() } else { Vec::new() };
        let (still, not) = self.tips.split(self.reader, blob, touched);
        let mut tell = |presence, lines: Lines<'_>| {
            feed::place(self.visitor, part, &Origin { presence, ..origin.clone() }, lines);
        };
        let lines = ranges.map_or(Lines::All, Lines::Added);
        match (still.is_empty(), not) {
            (false, false) => tell(Presence::Present, lines),
            (true, _) => tell(Presence::Removed, lines),
            (false, true) => {
                let everything = [lines::EVERYTHING];
                let ranges = ranges.unwrap_or(&everything);
                let gone = lines::outside(&still);
                for (presence, some) in [(Presence::Present, &still), (Presence::Removed, &gone)] {
                    tell(presence, Lines::Of { lines: &lines::common(ranges, some), added: ranges });
                }
            }
        }
    }

    fn added(&mut self, old: Option<ObjectId>, new: ObjectId) -> Ranges {
        let old = old?;
        if old == new {
            return Some(Rc::default());
        }
        if let Some(known) = self.diffs.get(&(old, new)) {
            return known.clone();
        }
        // What cannot be compared is new as a whole.
        let new_bytes = self.reader.expect(new, Kind::Blob).ok();
        let old_bytes = self.reader.expect(old, Kind::Blob).ok();
        let ranges = new_bytes.zip(old_bytes).map(|(new, old)| Rc::new(lines::added(&old, &new)));
        self.diffs.insert((old, new), ranges.clone());
        ranges
    }

    /// What a new path was made from, if the commit removed something like it.
    fn made_from(&mut self, change: &Change) -> Option<ObjectId> {
        if !self.context.changes.removed_something(change.commit) {
            return None;
        }
        let commit = &self.context.commits.list[change.commit as usize];
        let parent = commit.parents.first().copied().flatten()?;
        self.renamed(parent, commit.tree, change)
    }

    /// The lines that no parent of a merge has.
    fn merged(&mut self, change: &Change, new: ObjectId) -> Ranges {
        let commit = &self.context.commits.list[change.commit as usize];
        let path = self.context.changes.paths[change.path as usize].as_bstr();
        let mut common: Ranges = None;
        for parent in commit.parent_trees() {
            let old = changes::lookup(self.reader, parent, path);
            let old = old.or_else(|| self.renamed(parent, commit.tree, change));
            common = match (common, self.added(old, new)) {
                (None, ranges) | (ranges, None) => ranges,
                (Some(one), Some(other)) => Some(Rc::new(lines::common(&one, &other))),
            };
        }
        common
    }

    fn renamed(&mut self, old: ObjectId, new: ObjectId, change: &Change) -> Option<ObjectId> {
        let path = &self.context.changes.paths[change.path as usize];
        if let Some(known) = lock(&self.shared.renames).get(&(old, new)) {
            return known.get(path).copied();
        }
        let (gone, fresh) = changes::sides(self.reader, Some(old), new);
        let reader = &mut *self.reader;
        let mut load = |id| reader.expect(id, Kind::Blob).ok().map(|bytes| Rc::from(&*bytes));
        let pairs = renames::pair(&gone, &fresh, &mut load);
        let named = fresh.into_iter().zip(pairs).filter_map(|(new, pair)| Some((new.path, gone[pair?].id)));
        let renames = Renames::new(named.collect());
        let found = renames.get(path).copied();
        lock(&self.shared.renames).insert((old, new), renames);
        found
    }

    fn commit(&mut self, number: u32) -> Arc<scan::Commit> {
        if let Some(known) = lock(&self.shared.commits).get(&number) {
            return known.clone();
        }
        let id = self.context.commits.list[number as usize].id;
        let bytes = self.reader.expect(id, Kind::Commit).unwrap_or_default();
        let commit = Arc::new(info::read(id, &bytes));
        lock(&self.shared.commits).insert(number, commit.clone());
        commit
    }
}
