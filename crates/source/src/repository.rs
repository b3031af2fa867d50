//! Opening a repository so that nothing in it can run, hide or redirect anything: no configuration of the user or the
//! system, the repository's own only for its format; no replacements, no grafts, no commit-graph, no attributes.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;
use gix::object::tree::EntryKind;

use crate::objects::Objects;
use crate::{SourceError, shape};

/// A committed file is not read into memory above this size.
const LARGEST_CONFIG: u64 = 64 << 20;

/// Extensions of the format that do not change how we read.
const EXTENSIONS: [&str; 6] =
    ["noop", "objectformat", "partialclone", "preciousobjects", "relativeworktrees", "worktreeconfig"];

/// An opened repository; cheap to share between threads, and to clone.
#[derive(Clone)]
pub struct Repository {
    inner: gix::ThreadSafeRepository,
    root: PathBuf,
    extra: Vec<PathBuf>,
    /// Every folder with objects, alternates included.
    folders: Arc<Vec<PathBuf>>,
    /// The index that was read last. Clones share it: a large one is read once, not by everyone who asks.
    index: Arc<Mutex<Option<Known>>>,
}

/// An index that was read, and its file if that is not the repository's own.
struct Known {
    file: Option<PathBuf>,
    index: Arc<gix::index::File>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("root", &self.root).finish()
    }
}

impl Repository {
    /// The repository that `path` (a folder or file) is in, or that it is.
    ///
    /// # Errors
    /// [`SourceError::NotARepository`]; [`SourceError::Repository`] if its format is not known or it is damaged.
    pub fn discover(path: &Path) -> Result<Self, SourceError> {
        let nothing = || SourceError::NotARepository { path: path.to_owned() };
        let start = path.canonicalize().map_err(|_| nothing())?;
        let found = start.ancestors().find_map(|folder| {
            let work_tree = folder.join(".git").symlink_metadata().is_ok();
            (work_tree || is_git_dir(folder)).then_some((folder, work_tree))
        });
        let (root, work_tree) = found.ok_or_else(nothing)?;
        if let Some(why) = shape::fault(root, work_tree) {
            return Err(SourceError::Repository { path: root.to_owned(), why });
        }
        let options = gix::open::Options::isolated()
            .with(gix::sec::Trust::Reduced)
            .bail_if_untrusted(false)
            .open_path_as_is(!work_tree);
        let inner = gix::ThreadSafeRepository::open_opts(root, options)
            .map_err(|error| SourceError::Repository { path: root.to_owned(), why: error.to_string() })?;
        let folders = Arc::new(with_alternates(vec![inner.objects.path().to_owned()]));
        let repository = Self { inner, root: root.to_owned(), extra: Vec::new(), folders, index: Arc::default() };
        match repository.unknown_extension() {
            Some(name) => Err(repository.broken(format!("its format has an extension that is not known: {name}"))),
            None => Ok(repository),
        }
    }

    /// An extension of the format that changes how refs or objects are stored, and that we would misread.
    fn unknown_extension(&self) -> Option<BString> {
        let repo = self.local();
        let config = repo.config_snapshot();
        if config.integer("core.repositoryformatversion").unwrap_or(0) < 1 {
            return None;
        }
        let mut sections = config.plumbing().sections_by_name("extensions")?;
        sections.find_map(|section| {
            section.body().value_names().find_map(|name| {
                let name = name.to_ascii_lowercase();
                let files = name == "refstorage"
                    && config.string("extensions.refstorage").is_some_and(|value| value.as_bstr() == "files");
                let known = EXTENSIONS.iter().any(|known| **known == name) || files;
                (!known).then(|| name.into())
            })
        })
    }

    /// Objects are looked for in these folders too: `GIT_OBJECT_DIRECTORY` and `GIT_ALTERNATE_OBJECT_DIRECTORIES` of a
    /// server's hook, where what is pushed lies in quarantine.
    #[must_use]
    pub fn with_object_folders(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.extra.extend(folders);
        let own = self.inner.objects.path().to_owned();
        self.folders = Arc::new(with_alternates(std::iter::once(own).chain(self.extra.iter().cloned()).collect()));
        self
    }

    /// The folder that holds `.git`, whatever `core.worktree` says; of a bare repository, itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.root.join(".git").symlink_metadata().is_err()
    }

    /// Whether history ends early because the clone is shallow.
    pub fn is_shallow(&self) -> bool {
        self.local().is_shallow().unwrap_or(true)
    }

    /// `path` as the repository names it: relative to the root; `None` if it lies outside. Empty for the root.
    pub fn inside(&self, path: &Path) -> Option<BString> {
        let path = path.canonicalize().ok()?;
        let inside = path.strip_prefix(&self.root).ok()?;
        Some(inside.as_os_str().as_bytes().into())
    }

    /// The commit that a revision names (`HEAD~2`, a tag, a branch, an id), tags followed.
    ///
    /// # Errors
    /// [`SourceError::Revision`] if there is no such commit.
    pub fn commit(&self, revision: &BStr) -> Result<ObjectId, SourceError> {
        let unknown = || SourceError::Revision { name: revision.to_owned() };
        // An id may name an object of a folder that only we were told of.
        let named = || self.local().rev_parse_single(revision).ok().map(gix::Id::detach);
        let id = ObjectId::from_hex(revision).ok().or_else(named).ok_or_else(unknown)?;
        self.objects().peel(id).ok_or_else(unknown)
    }

    /// Whether a revision names an object of any kind that is here.
    pub fn exists(&self, revision: &BStr) -> bool {
        self.local().rev_parse_single(revision).is_ok_and(|id| self.objects().header(id.detach()).is_ok())
    }

    /// A file as a revision has it; `None` if the revision lacks it or it is not a file.
    ///
    /// # Errors
    /// [`SourceError::Revision`], [`SourceError::Object`], [`SourceError::TooLarge`] above 64 MiB.
    pub fn read_at(&self, revision: &BStr, path: &BStr) -> Result<Option<Vec<u8>>, SourceError> {
        let commit = self.commit(revision)?;
        let objects = self.objects();
        let mut tree = objects.tree_of(commit)?;
        let mut parts = path.split_str("/").peekable();
        while let Some(part) = parts.next() {
            let entries = objects.tree(tree)?;
            let Some(entry) = entries.iter().find(|entry| entry.name == part) else { return Ok(None) };
            match (parts.peek(), entry.mode.kind()) {
                (None, EntryKind::Blob | EntryKind::BlobExecutable) => {
                    return objects.blob(entry.id, LARGEST_CONFIG).map(Some);
                }
                (Some(_), EntryKind::Tree) => tree = entry.id,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// A blob by its id.
    ///
    /// # Errors
    /// [`SourceError::Object`] if it is missing or damaged, [`SourceError::TooLarge`] above `limit` bytes.
    pub fn blob(&self, id: ObjectId, limit: u64) -> Result<Vec<u8>, SourceError> {
        self.objects().blob(id, limit)
    }

    /// The index as it was first asked for; what this program itself has staged since is seen. `read` reads it.
    pub(crate) fn index_once(
        &self,
        file: Option<&Path>,
        read: impl FnOnce() -> Result<Option<gix::index::File>, SourceError>,
    ) -> Result<Option<Arc<gix::index::File>>, SourceError> {
        let mut known = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.file.as_deref() == file) {
            return Ok(Some(known.index.clone()));
        }
        let index = read()?.map(Arc::new);
        *known = index.clone().map(|index| Known { file: file.map(Path::to_owned), index });
        Ok(index)
    }

    /// The index has changed.
    pub(crate) fn forget_index(&self) {
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A handle of this thread's own.
    pub(crate) fn local(&self) -> gix::Repository {
        let mut repo = self.inner.to_thread_local();
        repo.objects.ignore_replacements = true;
        repo
    }

    /// The objects, for one thread.
    pub(crate) fn objects(&self) -> Objects {
        Objects::new(self.local(), &self.extra, self.folders.clone())
    }

    /// Every folder with objects, alternates included.
    pub(crate) fn object_folders(&self) -> Vec<PathBuf> {
        self.folders.to_vec()
    }

    /// An error about the repository as a whole.
    pub(crate) fn broken(&self, why: impl ToString) -> SourceError {
        SourceError::Repository { path: self.root.clone(), why: why.to_string() }
    }
}

fn is_git_dir(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

/// These folders of objects, and those that they name.
fn with_alternates(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let named = |folder: &PathBuf| gix::odb::alternate::resolve(folder.clone(), &here).unwrap_or_default();
    for folder in folders.iter().flat_map(named).collect::<Vec<_>>() {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}
