//! Files and folders named by the user.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bstr::{BString, ByteSlice};
use ignore::{DirEntry, ParallelVisitor, ParallelVisitorBuilder, WalkBuilder, WalkState};
use rustix::fs::{Mode, OFlags};
use scan::{Lines, Origin, Visitor};

use crate::archive::{self, stub};
use crate::feed::{self, Feed, Part};
use crate::sniff::{self, Archive, Kind};
use crate::{Limits, Source, SourceError, ignored, path};

/// Folders, walked through, and files. Hidden files are read; `.git` is never entered.
#[derive(Clone, Debug)]
pub struct Files {
    /// As the user typed them; reports show paths joined to these.
    pub targets: Vec<PathBuf>,
    /// Whether `.gitignore` files (and `.git/info/exclude`, and the user's own) leave files out.
    pub obey_gitignore: bool,
    /// Whether links to files are followed. Links to folders never are.
    pub follow_links: bool,
    /// Limits.
    pub limits: Limits,
}

impl Files {
    /// The usual way to read these targets: `.gitignore` obeyed, no links.
    pub fn new(targets: Vec<PathBuf>) -> Self {
        Self { targets, obey_gitignore: true, follow_links: false, limits: Limits::default() }
    }

    fn walk(&self, target: &Path) -> WalkBuilder {
        let mut walk = ignored::walk(target, self.obey_gitignore);
        walk.threads(self.limits.workers());
        walk
    }
}

impl Source for Files {
    fn each<'s>(&self, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Result<(), SourceError> {
        let seen = Mutex::new(std::collections::HashSet::new());
        for target in &self.targets {
            let fresh = seen.lock().expect("no other thread is here").insert(path::clean(target));
            if !fresh {
                continue;
            }
            // One file needs no threads.
            if std::fs::metadata(target).is_ok_and(|metadata| !metadata.is_dir()) {
                Worker { files: self, visitor: new_visitor(), buffer: Vec::new() }.target(target);
                continue;
            }
            self.walk(target).build_parallel().visit(&mut Builder { files: self, new_visitor });
        }
        Ok(())
    }
}

struct Builder<'b, 's> {
    files: &'b Files,
    new_visitor: &'b (dyn Fn() -> Box<dyn Visitor + 's> + Sync),
}

impl<'b, 's: 'b> ParallelVisitorBuilder<'b> for Builder<'b, 's> {
    fn build(&mut self) -> Box<dyn ParallelVisitor + 'b> {
        Box::new(Worker { files: self.files, visitor: (self.new_visitor)(), buffer: Vec::new() })
    }
}

struct Worker<'s> {
    files: &'s Files,
    visitor: Box<dyn Visitor + 's>,
    /// Memory for the next file: giving it back and asking again costs more than reading.
    buffer: Vec<u8>,
}

/// How much memory is kept from file to file.
const KEPT_BYTES: usize = 1 << 20;

impl ParallelVisitor for Worker<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        match entry {
            Ok(entry) => self.entry(&entry),
            Err(error) => self.failed(&error),
        }
        WalkState::Continue
    }
}

impl Worker<'_> {
    fn entry(&mut self, entry: &DirEntry) {
        let path = entry.path();
        match entry.file_type() {
            Some(kind) if kind.is_dir() => {}
            Some(kind) if kind.is_file() => self.file(path, path, None),
            Some(kind) if kind.is_symlink() => self.link(path),
            _ => self.feed().skipped(&path::clean(path), "not a regular file"),
        }
    }

    /// A file that the user named is read even through a link, and a pipe (a shell's `<(…)`) as the stream that it is.
    fn target(&mut self, target: &Path) {
        if std::fs::metadata(target).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
            return self.pipe(target);
        }
        match target.canonicalize() {
            // What was asked for and cannot be read is no clean scan. Nothing is in /dev/null, and scripts name it.
            Ok(real) if !real.is_file() && real != Path::new("/dev/null") => {
                self.feed().unread(&path::clean(target), "this is neither a file nor a folder");
            }
            Ok(real) => self.file(&real, target, None),
            Err(error) => self.feed().unread(&path::clean(target), error.kind()),
        }
    }

    /// Waits for whoever writes into it.
    fn pipe(&mut self, pipe: &Path) {
        let origin = Origin { path: path::clean(pipe), ..Origin::default() };
        let paths = [origin.path.clone()];
        let take = &mut |visitor: &mut dyn Visitor, part: Part| feed::place(visitor, &part, &origin, Lines::All);
        let mut feed = self.feed();
        let read = File::open(pipe).and_then(|mut pipe| feed.stream(&mut pipe, &paths, take));
        if let Err(error) = read {
            feed.unread(&origin.path, error.kind());
        }
    }

    fn link(&mut self, link: &Path) {
        let shown = path::clean(link);
        if !self.files.follow_links {
            return self.feed().skipped(&shown, "a symbolic link");
        }
        match link.canonicalize() {
            Ok(real) if real.is_file() => {
                let nearby = std::env::current_dir().and_then(std::fs::canonicalize).ok();
                let nearby = nearby.filter(|_| link.is_relative());
                let name = nearby.and_then(|folder| real.strip_prefix(folder).ok()).unwrap_or(&real).to_owned();
                self.file(&real, &name, Some(shown));
            }
            Ok(_) => self.feed().skipped(&shown, "a symbolic link to something other than a file"),
            Err(_) => self.feed().skipped(&shown, "a symbolic link that leads nowhere"),
        }
    }

    fn file(&mut self, path: &Path, name: &Path, symlink: Option<BString>) {
        let origin = Origin { path: path::clean(name), symlink, ..Origin::default() };
        let limits = &self.files.limits;
        let mut feed = Feed { limits, visitor: &mut *self.visitor };
        let (file, size) = match open(path) {
            Ok(Some(opened)) => opened,
            Ok(None) => return feed.skipped(&origin.path, "not a regular file"),
            Err(error) => return feed.unread(&origin.path, error.kind()),
        };
        if limits.too_large(size) {
            return feed.skipped(&origin.path, "larger than the limit");
        }
        if let Err(error) = read(&mut feed, file, size, &origin, &mut self.buffer) {
            feed.unread(&origin.path, error.kind());
        }
        if self.buffer.capacity() > KEPT_BYTES {
            self.buffer = Vec::new();
        }
    }

    fn failed(&mut self, error: &ignore::Error) {
        let (what, why) = describe(error);
        self.feed().unread(&what, why);
    }

    fn feed(&mut self) -> Feed<'_> {
        Feed { limits: &self.files.limits, visitor: &mut *self.visitor }
    }
}

/// Opens a regular file; never waits for a pipe or a device, never follows a link.
pub(crate) fn open(path: &Path) -> std::io::Result<Option<(File, u64)>> {
    opened(path, OFlags::NOFOLLOW)
}

/// As [`open`], wherever a link leads.
pub(crate) fn open_through_links(path: &Path) -> std::io::Result<Option<(File, u64)>> {
    opened(path, OFlags::empty())
}

fn opened(path: &Path, more: OFlags) -> std::io::Result<Option<(File, u64)>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | more;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    Ok(metadata.is_file().then_some((file, metadata.len())))
}

fn read(feed: &mut Feed<'_>, mut file: File, size: u64, origin: &Origin, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let paths = [origin.path.clone()];
    let take = &mut |visitor: &mut dyn Visitor, part: Part| feed::place(visitor, &part, origin, Lines::All);
    if size <= feed.limits.piece_bytes as u64 {
        // One byte more, so that the read that finds the end does not grow the buffer.
        bytes.clear();
        bytes.reserve(usize::try_from(size).unwrap_or(0) + 1);
        (&mut file).take(feed.limits.piece_bytes as u64 + 1).read_to_end(bytes)?;
        if bytes.len() <= feed.limits.piece_bytes {
            if !bytes.is_empty() {
                feed.whole(bytes, &paths, None, take);
            }
            return Ok(());
        }
        file.seek(SeekFrom::Start(0))?;
    }
    let mut head = Vec::new();
    (&mut file).take(sniff::HEAD as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    match sniff::kind(&head) {
        Kind::Media => Ok(()),
        Kind::Plain => {
            let depth = feed.limits.archive_depth;
            let stub = if depth > 0 { stub::length_in(&mut file, size) } else { None };
            file.seek(SeekFrom::Start(0))?;
            let opened = stub.map(|_| archive::open(feed, Archive::Zip, &mut file, &paths, take));
            file.seek(SeekFrom::Start(0))?;
            let plain = stub.filter(|_| opened == Some(archive::Opened::Whole)).unwrap_or(u64::MAX);
            feed.stream(&mut file.take(plain), &paths, take)
        }
        Kind::Closed => {
            feed.skipped(&origin.path, "an archive of a kind that is not opened");
            Ok(())
        }
        Kind::Archive(kind) => {
            if archive::open(feed, kind, &mut file, &paths, take) == archive::Opened::Broken {
                file.seek(SeekFrom::Start(0))?;
                feed.stream(&mut file, &paths, take)?;
            }
            Ok(())
        }
    }
}

/// Path and reason of a failure of the walk.
fn describe(error: &ignore::Error) -> (BString, String) {
    match error {
        ignore::Error::WithPath { path, err } => (path::clean(path), describe(err).1),
        ignore::Error::WithDepth { err, .. } => describe(err),
        ignore::Error::Partial(errors) => {
            errors.first().map_or_else(|| (BString::default(), "unreadable".to_owned()), describe)
        }
        ignore::Error::Io(error) => (BString::default(), error.kind().to_string()),
        ignore::Error::Loop { child, .. } => (child.as_os_str().as_bytes().as_bstr().to_owned(), "a loop".to_owned()),
        _ => (BString::default(), "unreadable".to_owned()),
    }
}
