//! Which commits there are, newest first.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::objs::Kind;

use super::Notes;
use super::choice::Choice;
use super::selection::Tips;
use crate::SourceError;
use crate::pack::Damage;
use crate::pack::reader::Reader;
use crate::repository::Repository;

/// How many tags may lead to tags.
const DEEPEST_TAG: usize = 64;

/// One commit.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) id: ObjectId,
    pub(super) tree: ObjectId,
    /// Trees of the parents; `None` where a parent cannot be read, which is told once.
    pub(super) parents: Vec<Option<ObjectId>>,
}

/// The selected commits, and the annotated tags that lead to them.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// Newest first, by the committer's date.
    pub(super) list: Vec<Commit>,
    /// Where the walk began.
    pub(super) starts: Vec<ObjectId>,
    /// Annotated tags among the tips.
    pub(super) tags: Vec<ObjectId>,
    /// Blobs that a ref or tag points to directly.
    pub(super) blobs: Vec<ObjectId>,
}

/// What the walk needs of a commit.
struct Node {
    tree: ObjectId,
    parents: Vec<ObjectId>,
    date: i64,
}

struct Walk<'w, 'p> {
    reader: &'w mut Reader<'p>,
    shallow: HashSet<ObjectId>,
    nodes: HashMap<ObjectId, Option<Node>>,
    hidden: HashSet<ObjectId>,
    choice: &'w Choice,
    /// By date; of the same date, as they came, like `git log`.
    queue: BinaryHeap<(i64, Reverse<usize>, ObjectId)>,
    queued: HashSet<ObjectId>,
    /// How many of the queue are not hidden.
    wanted: usize,
    order: Vec<ObjectId>,
    listed: HashSet<ObjectId>,
}

impl Commits {
    /// Walks from the tips. The commits' own words about their parents count, nothing else.
    pub(super) fn walk(
        repository: &Repository,
        reader: &mut Reader<'_>,
        tips: &Tips,
        choice: &Choice,
        names: &HashMap<ObjectId, BString>,
        notes: &mut Notes,
    ) -> Result<Self, SourceError> {
        let shallow = repository.local().shallow_commits();
        let shallow = shallow.map_err(|_| repository.broken("the list of shallow commits cannot be read"))?;
        let shallow = shallow.iter().flat_map(|list| list.iter().copied()).collect();
        let mut commits = Self::default();
        let mut starts = Vec::new();
        for tip in &tips.include {
            match commits.peel(reader, *tip) {
                Ok(found) => starts.extend(found),
                Err((id, why)) => {
                    let name = names.get(tip).map_or(String::new(), |name| format!("{name}: "));
                    notes.unread(format!("{name}object {id}"), why);
                }
            }
        }
        let mut walk = Walk {
            reader,
            shallow,
            nodes: HashMap::new(),
            hidden: HashSet::new(),
            choice,
            queue: BinaryHeap::new(),
            queued: HashSet::new(),
            wanted: 0,
            order: Vec::new(),
            listed: HashSet::new(),
        };
        for tip in &tips.exclude {
            if let Ok(Some(id)) = Self::default().peel(walk.reader, *tip) {
                walk.hide(id);
                walk.push(id);
            }
        }
        for (one, other) in &tips.either {
            walk.hide_common(*one, *other);
        }
        for id in &starts {
            walk.push(*id);
        }
        commits.starts = starts;
        walk.run();
        walk.finish(&mut commits, notes);
        Ok(commits)
    }

    /// Follows tags; the commit, if there is one at the end. The error names the object that cannot be read, and why.
    fn peel(
        &mut self,
        reader: &mut Reader<'_>,
        mut id: ObjectId,
    ) -> Result<Option<ObjectId>, (ObjectId, &'static str)> {
        for _ in 0..DEEPEST_TAG {
            match reader.read(id).map_err(|damage| (id, words(damage)))? {
                (Kind::Commit, _) => return Ok(Some(id)),
                (Kind::Tag, bytes) => {
                    self.tags.push(id);
                    let target = gix::objs::TagRefIter::from_bytes(&bytes, id.kind()).target_id();
                    id = target.map_err(|_| (id, words(Damage::Broken)))?;
                }
                (Kind::Blob, _) => {
                    self.blobs.push(id);
                    return Ok(None);
                }
                (Kind::Tree, _) => return Ok(None),
            }
        }
        Err((id, "more tags lead to it than are followed"))
    }
}

impl Walk<'_, '_> {
    fn run(&mut self) {
        // Without anything left out, what is listed stays listed.
        let enough = self.choice.at_most.filter(|_| self.hidden.is_empty() && self.choice.since.is_none());
        let mut left = enough.map_or(usize::MAX, |enough| enough.saturating_add(self.choice.skip));
        while self.wanted > 0
            && left > 0
            && let Some((date, _, id)) = self.queue.pop()
        {
            let mut hidden = self.hidden.contains(&id);
            if !hidden {
                self.wanted -= 1;
                // As in Git, what is too old hides what led to it.
                hidden = self.choice.since.is_some_and(|since| date < since);
                if hidden {
                    self.hidden.insert(id);
                } else {
                    self.order.push(id);
                    self.listed.insert(id);
                }
            }
            let mut parents = self.node(id).map(|node| node.parents.clone()).unwrap_or_default();
            if !hidden && self.choice.wants(date, parents.len()) {
                left -= 1;
            }
            if !hidden && self.choice.first_parent {
                parents.truncate(1);
            }
            for parent in parents {
                if hidden {
                    self.hide(parent);
                }
                self.push(parent);
            }
        }
    }

    fn push(&mut self, id: ObjectId) {
        if !self.queued.insert(id) {
            return;
        }
        let date = self.node(id).map_or(i64::MAX, |node| node.date);
        self.queue.push((date, Reverse(self.queued.len()), id));
        if !self.hidden.contains(&id) {
            self.wanted += 1;
        }
    }

    /// Marks a commit, and what is known of its ancestors, as left out.
    fn hide(&mut self, id: ObjectId) {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            if !self.hidden.insert(id) {
                continue;
            }
            if self.queued.contains(&id) {
                // Either it waits in the queue, or it was listed too early: then its parents are wrong too.
                let listed = self.listed.contains(&id);
                if !listed {
                    self.wanted -= 1;
                }
                if listed && let Some(Some(node)) = self.nodes.get(&id) {
                    stack.extend(&node.parents);
                }
            }
        }
    }

    /// Marks what both of two tips reach.
    fn hide_common(&mut self, one: ObjectId, other: ObjectId) {
        let mut reached = [one, other].map(|tip| {
            let tip = Commits::default().peel(self.reader, tip).ok().flatten();
            let (mut seen, mut stack) = (HashSet::new(), Vec::from_iter(tip));
            while let Some(id) = stack.pop() {
                if seen.insert(id) {
                    stack.extend(self.node(id).map(|node| node.parents.clone()).unwrap_or_default());
                }
            }
            seen
        });
        let (one, other) = reached.split_at_mut(1);
        self.hidden.extend(one[0].intersection(&other[0]));
    }

    fn node(&mut self, id: ObjectId) -> Option<&Node> {
        let (reader, shallow) = (&mut *self.reader, &self.shallow);
        let read = || {
            let bytes = reader.expect(id, Kind::Commit).ok()?;
            let mut node = parse(&bytes)?;
            if shallow.contains(&id) {
                node.parents.clear();
            }
            Some(node)
        };
        self.nodes.entry(id).or_insert_with(read).as_ref()
    }

    fn finish(mut self, commits: &mut Commits, notes: &mut Notes) {
        let mut skip = self.choice.skip;
        for id in std::mem::take(&mut self.order) {
            if self.choice.at_most.is_some_and(|most| commits.list.len() >= most) {
                break;
            }
            if self.hidden.contains(&id) {
                continue;
            }
            let Some(Some(node)) = self.nodes.get(&id) else {
                notes.unread(format!("commit {id}"), "missing or damaged");
                continue;
            };
            if !self.choice.wants(node.date, node.parents.len()) {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let tree = node.tree;
            let mut parents = node.parents.clone();
            if self.choice.first_parent {
                parents.truncate(1);
            }
            let parents = parents.into_iter().map(|parent| self.node(parent).map(|node| node.tree)).collect();
            commits.list.push(Commit { id, tree, parents });
        }
    }
}

/// The first lines of a commit: tree, parents, author, committer.
fn parse(bytes: &[u8]) -> Option<Node> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let tree = ObjectId::from_hex(lines.next()?.strip_prefix(b"tree ")?).ok()?;
    let mut parents = Vec::new();
    let mut line = lines.next()?;
    while let Some(parent) = line.strip_prefix(b"parent ") {
        parents.push(ObjectId::from_hex(parent).ok()?);
        line = lines.next()?;
    }
    // A strange author or date is no reason to leave a commit out.
    let committer = lines.next().filter(|line| line.starts_with(b"committer ")).unwrap_or_default();
    let date = committer.rsplit_once_str("> ").map_or(&b""[..], |(_, date)| date);
    let date = date.split_once_str(" ").map_or(date, |(date, _)| date);
    let date = date.to_str().ok().and_then(|date| date.parse().ok()).unwrap_or(0);
    Some(Node { tree, parents, date })
}

/// Why something could not be read, in words.
pub(super) fn words(damage: Damage) -> &'static str {
    match damage {
        Damage::Broken => "missing or damaged",
        Damage::TooLarge => "too large to be read as a whole",
    }
}
