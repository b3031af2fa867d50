//! Every ref of a repository, and where it leads.

mod damaged;
mod stashes;

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString};
use gix::ObjectId;

use crate::repository::Repository;

/// The refs.
#[derive(Debug, Default)]
pub(super) struct Refs {
    /// What the refs point to, tags not followed, each once.
    pub(super) targets: Vec<ObjectId>,
    /// What remote-tracking refs point to.
    pub(super) remotes: Vec<ObjectId>,
    /// What branches point to.
    pub(super) branches: Vec<ObjectId>,
    /// What tags point to.
    pub(super) tags: Vec<ObjectId>,
    /// Stashes but for the newest, which is a ref: only the log of that ref names them.
    pub(super) stashes: Vec<ObjectId>,
    /// A name for each of `targets`, for messages.
    pub(super) names: HashMap<ObjectId, BString>,
    /// Names of refs that cannot be read or lead nowhere.
    pub(super) broken: Vec<BString>,
}

impl Refs {
    fn add(&mut self, name: &BStr, id: ObjectId) {
        self.targets.push(id);
        self.names.entry(id).or_insert_with(|| name.to_owned());
        if name.starts_with(b"refs/remotes/") {
            self.remotes.push(id);
        } else if name.starts_with(b"refs/heads/") {
            self.branches.push(id);
        } else if name.starts_with(b"refs/tags/") {
            self.tags.push(id);
        }
    }
}

/// Reads `refs/**`, HEAD, the HEADs of linked work trees, and the log of `refs/stash`.
pub(super) fn read(repository: &Repository) -> Refs {
    let repo = repository.local();
    let mut refs = whole(&repo).unwrap_or_else(|| damaged::read(&repo));
    for tree in repo.worktrees().unwrap_or_default() {
        let head = tree.into_repo_with_possibly_inaccessible_worktree();
        let id = head.ok().and_then(|repo| repo.head_id().ok().map(gix::Id::detach));
        refs.targets.extend(id);
    }
    for (number, id) in stashes::read(&repo).into_iter().enumerate() {
        refs.names.entry(id).or_insert_with(|| format!("stash@{{{number}}}").into());
        refs.stashes.push(id);
    }
    let mut seen = HashSet::new();
    refs.targets.retain(|id| seen.insert(*id));
    refs
}

/// The refs, if all can be read.
fn whole(repo: &gix::Repository) -> Option<Refs> {
    let mut refs = Refs::default();
    for reference in repo.references().ok()?.all().ok()? {
        let reference = reference.ok()?;
        // Symbolic refs lead to others of this list, or, unborn, nowhere.
        if let Some(id) = reference.try_id() {
            refs.add(reference.name().as_bstr(), id.detach());
        }
    }
    if let Some(id) = repo.head().ok()?.id() {
        refs.add(BStr::new("HEAD"), id.detach());
    }
    Some(refs)
}
