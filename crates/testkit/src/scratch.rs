//! A private world for one test: a working folder, and a home, temporary and runtime folder that nothing else uses.

use crate::command::Run;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A scratch folder, removed with everything in it when dropped. `PLOMB_KEEP_SCRATCH=1` keeps it for a look.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
}

impl Scratch {
    /// Makes the folder and its rooms.
    pub fn new(name: &str) -> Self {
        static COUNTER: AtomicUsize = AtomicUsize::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("plomb-{name}-{}-{number}", std::process::id()));
        let scratch = Self { root };
        for room in [scratch.work(), scratch.home(), scratch.tmp(), scratch.runtime()] {
            std::fs::create_dir_all(&room).expect("the temporary folder is writable");
        }
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(scratch.runtime(), private).expect("we own the folder");
        scratch
    }

    /// The folder that holds all the others.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder commands run in.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// `$HOME` of the commands.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// `$TMPDIR` of the commands.
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// `$XDG_RUNTIME_DIR` of the commands: the only place where plaintext for an editor may lie.
    pub fn runtime(&self) -> PathBuf {
        self.root.join("run")
    }

    /// A path in the working folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.work().join(name)
    }

    /// Writes a file into the working folder, with the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let parent = path.parent().expect("a file of the working folder has a parent");
        std::fs::create_dir_all(parent).expect("the scratch folder is writable");
        std::fs::write(&path, bytes).expect("the scratch folder is writable");
        path
    }

    /// Writes an executable script into the scratch folder, outside the working folder.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        std::fs::write(&path, text).expect("the scratch folder is writable");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("we own the file");
        path
    }

    /// A folder with a symbolic link to a program under another name: how a drop-in replacement is called.
    pub fn link(&self, name: &str, program: &Path) -> PathBuf {
        let folder = self.root.join("bin");
        std::fs::create_dir_all(&folder).expect("the scratch folder is writable");
        let link = folder.join(name);
        std::os::unix::fs::symlink(program, &link).expect("the link is new");
        link
    }

    /// A command that sees this world only.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Run {
        Run::new(program, self)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // Not the runtime folder: it is the place for an editor's text, which outlives a run that is killed.
            crate::canary::check_leftovers(&[self.home(), self.tmp()], &[]);
        }
        if std::env::var_os("PLOMB_KEEP_SCRATCH").is_none() {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}
