//! Reading single objects by id, as they are stored.

use std::path::PathBuf;
use std::sync::Arc;

use bstr::BString;
use gix::ObjectId;
use gix::objs::{Kind, TreeRefIter};
use gix::prelude::FindExt as _;

use crate::SourceError;
use crate::loose::{self, Fault};

/// Trees and commits above this size are not read.
const LARGEST_TREE: u64 = 256 << 20;

/// How many tags may point to tags.
const DEEPEST_TAG: usize = 64;

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    pub(crate) name: BString,
    pub(crate) mode: gix::objs::tree::EntryMode,
    pub(crate) id: ObjectId,
}

/// The object stores of a repository, for one thread.
pub(crate) struct Objects {
    repo: gix::Repository,
    extra: Vec<gix::odb::Handle>,
    /// Every folder with objects, alternates included.
    folders: Arc<Vec<PathBuf>>,
}

impl Objects {
    /// The repository's own objects, then those of other folders.
    pub(crate) fn new(mut repo: gix::Repository, extra: &[PathBuf], folders: Arc<Vec<PathBuf>>) -> Self {
        repo.objects.refresh_never();
        let hash = repo.object_hash();
        let open = |folder: &PathBuf| gix::odb::at_opts(folder, hash, [], Default::default()).ok();
        let extra = extra.iter().filter_map(open).collect();
        Self { repo, extra, folders }
    }

    /// Size and kind of an object, without reading all of it.
    pub(crate) fn header(&self, id: ObjectId) -> Result<(u64, Kind), SourceError> {
        use gix::prelude::HeaderExt as _;
        if let Some(found) = loose::header(&self.folders, id) {
            return found.map_err(|_| damaged(id));
        }
        let mut outcome = self.repo.objects.header(id);
        for store in &self.extra {
            if outcome.is_ok() {
                break;
            }
            outcome = store.header(id);
        }
        outcome.map(|header| (header.size(), header.kind())).map_err(|_| missing(id))
    }

    /// An object's bytes into `buffer`.
    pub(crate) fn read(&self, id: ObjectId, limit: u64, buffer: &mut Vec<u8>) -> Result<Kind, SourceError> {
        match loose::read(&self.folders, id, limit, buffer) {
            Some(Ok(kind)) => return Ok(kind),
            Some(Err(Fault::TooLarge)) => return Err(SourceError::TooLarge { what: id.to_string().into(), limit }),
            Some(Err(Fault::Damaged)) => return Err(damaged(id)),
            None => {}
        }
        let (size, _) = self.header(id)?;
        if size > limit {
            return Err(SourceError::TooLarge { what: id.to_string().into(), limit });
        }
        if let Ok(data) = self.repo.objects.find(&id, buffer) {
            return Ok(data.kind);
        }
        for store in &self.extra {
            if let Ok(data) = store.find(&id, buffer) {
                return Ok(data.kind);
            }
        }
        Err(damaged(id))
    }

    /// A blob.
    pub(crate) fn blob(&self, id: ObjectId, limit: u64) -> Result<Vec<u8>, SourceError> {
        let mut buffer = Vec::new();
        match self.read(id, limit, &mut buffer)? {
            Kind::Blob => Ok(buffer),
            _ => Err(damaged(id)),
        }
    }

    /// The entries of a tree.
    pub(crate) fn tree(&self, id: ObjectId) -> Result<Vec<TreeEntry>, SourceError> {
        let mut buffer = Vec::new();
        if id == ObjectId::empty_tree(id.kind()) {
            return Ok(Vec::new());
        }
        if self.read(id, LARGEST_TREE, &mut buffer)? != Kind::Tree {
            return Err(damaged(id));
        }
        TreeRefIter::from_bytes(&buffer, id.kind())
            .map(|entry| {
                entry.map(|entry| TreeEntry {
                    name: entry.filename.to_owned(),
                    mode: entry.mode,
                    id: entry.oid.to_owned(),
                })
            })
            .collect::<Result<_, _>>()
            .map_err(|_| damaged(id))
    }

    /// The tree of a commit.
    pub(crate) fn tree_of(&self, commit: ObjectId) -> Result<ObjectId, SourceError> {
        let mut buffer = Vec::new();
        self.read(commit, LARGEST_TREE, &mut buffer)?;
        gix::objs::CommitRefIter::from_bytes(&buffer, commit.kind()).tree_id().map_err(|_| damaged(commit))
    }

    /// The parents of a commit.
    pub(crate) fn parents_of(&self, commit: ObjectId) -> Result<Vec<ObjectId>, SourceError> {
        let mut buffer = Vec::new();
        self.read(commit, LARGEST_TREE, &mut buffer)?;
        Ok(gix::objs::CommitRefIter::from_bytes(&buffer, commit.kind()).parent_ids().collect())
    }

    /// The commit that an object is or that a tag leads to.
    pub(crate) fn peel(&self, mut id: ObjectId) -> Option<ObjectId> {
        let mut buffer = Vec::new();
        for _ in 0..DEEPEST_TAG {
            match self.read(id, LARGEST_TREE, &mut buffer).ok()? {
                Kind::Commit => return Some(id),
                Kind::Tag => id = gix::objs::TagRefIter::from_bytes(&buffer, id.kind()).target_id().ok()?,
                Kind::Tree | Kind::Blob => return None,
            }
        }
        None
    }
}

fn missing(id: ObjectId) -> SourceError {
    SourceError::Object { id: id.to_string(), why: "it is not in the repository, or damaged".to_owned() }
}

/// The object is there, but is not what it should be.
pub(crate) fn damaged(id: ObjectId) -> SourceError {
    SourceError::Object { id: id.to_string(), why: "it is damaged".to_owned() }
}
