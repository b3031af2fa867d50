//! Every ref of a repository, and where it leads.

use bstr::BString;
use gix::ObjectId;

use crate::SourceError;
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
    /// Names of refs that cannot be read or lead nowhere.
    pub(super) broken: Vec<BString>,
}

/// Reads `refs/**`, HEAD, and the HEADs of linked work trees.
pub(super) fn read(repository: &Repository) -> Result<Refs, SourceError> {
    let repo = repository.local();
    let mut refs = Refs::default();
    let platform = repo.references().map_err(|_| repository.broken("its refs cannot be read"))?;
    let all = platform.all().map_err(|_| repository.broken("its refs cannot be read"))?;
    for reference in all {
        match reference {
            // Symbolic refs lead to others of this list, or, unborn, nowhere.
            Ok(reference) => {
                let id = reference.try_id().map(gix::Id::detach);
                refs.targets.extend(id);
                let name = reference.name().as_bstr();
                if name.starts_with(b"refs/remotes/") {
                    refs.remotes.extend(id);
                } else if name.starts_with(b"refs/heads/") {
                    refs.branches.extend(id);
                } else if name.starts_with(b"refs/tags/") {
                    refs.tags.extend(id);
                }
            }
            Err(_) => refs.broken.push("refs".into()),
        }
    }
    match repo.head() {
        Ok(head) => refs.targets.extend(head.id().map(gix::Id::detach)),
        Err(_) => return Err(repository.broken("HEAD cannot be read")),
    }
    for tree in repo.worktrees().unwrap_or_default() {
        let head = tree.into_repo_with_possibly_inaccessible_worktree();
        let id = head.ok().and_then(|repo| repo.head_id().ok().map(gix::Id::detach));
        refs.targets.extend(id);
    }
    let mut seen = std::collections::HashSet::new();
    refs.targets.retain(|id| seen.insert(*id));
    Ok(refs)
}
