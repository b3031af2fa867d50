//! Reading and replacing files. A file is replaced whole or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secret::SecretBytes;

use crate::content::Content;
use crate::failure::{Exit, Failure, reason};
use crate::paths::shown;
use crate::{lock, ui};

/// Structured files larger than this are refused; binary ones may be larger.
pub(crate) const STRUCTURED_LIMIT: u64 = 64 << 20;
/// No file may be larger: positions in a file are 32 bits.
pub(crate) const BINARY_LIMIT: u64 = 2 << 30;
/// As many links are followed to a file that is to be made as Linux follows to one that exists.
const MAX_LINKS: usize = 40;

/// Opens a regular file without waiting for FIFOs and without touching devices.
///
/// # Errors
/// When there is none, or it is something else.
pub(crate) fn open_regular(path: &Path) -> Result<File, Failure> {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path);
    let file = file.map_err(|error| Failure::io(path, "open it", &error))?;
    let kind = file.metadata().map_err(|error| Failure::io(path, "open it", &error))?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let what = if kind.is_dir() { "is a directory" } else { "is not a regular file" };
    let failure = Failure::new(Exit::Input, what).in_file(path);
    let is_stdin = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path == Path::new(name));
    Err(if is_stdin { failure.hint("leave FILE out to read standard input") } else { failure })
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open_regular`], and when the file is too large.
pub(crate) fn read(path: &Path, limit: u64) -> Result<SecretBytes, Failure> {
    let file = open_regular(path)?;
    let size = file.metadata().map_or(0, |meta| meta.len());
    if size > limit {
        return Err(too_large(limit).in_file(path));
    }
    read_all(file, size, limit).map_err(|failure| failure.in_file(path))
}

/// Whether the path leads to a pipe, a terminal or another device that is read like one, rather than to a file.
pub(crate) fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo() || meta.file_type().is_char_device())
}

/// Reads what the user named himself, by a flag or in the environment: a file, or a stream (`<(…)`, `/dev/stdin`, a
/// FIFO, for whose writer it waits) up to `limit` bytes. What is found on the way is for [`read`] alone.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_named(path: &Path, limit: u64) -> Result<SecretBytes, Failure> {
    if !is_stream(path) {
        return read(path, limit);
    }
    let stream = File::open(path).map_err(|error| Failure::io(path, "open it", &error))?;
    read_all(stream, 0, limit).map_err(|failure| failure.in_file(path))
}

/// Reads standard input up to `limit` bytes.
///
/// # Errors
/// When it cannot be read or is longer.
pub(crate) fn read_stdin(limit: u64) -> Result<SecretBytes, Failure> {
    read_all(std::io::stdin().lock(), 0, limit).map_err(|failure| failure.in_file(Path::new("standard input")))
}

fn read_all(input: impl std::io::Read, size: u64, limit: u64) -> Result<SecretBytes, Failure> {
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(size as usize + 1));
    let read = input.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(Exit::Generic, format!("cannot read it: {error}")))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit));
    }
    Ok(SecretBytes::new(std::mem::take(&mut *bytes)))
}

fn too_large(limit: u64) -> Failure {
    let what = format!("is larger than {} MiB", limit >> 20);
    Failure::new(Exit::Input, what).hint("large files are encrypted whole with `--input-type binary`")
}

/// A file about to be rewritten: locked, read, with what is needed to put a new one in its place.
#[derive(Debug)]
pub(crate) struct Rewrite {
    /// The file itself, links resolved.
    real: PathBuf,
    /// What it held when it was read.
    before: SecretBytes,
    lock: lock::Lock,
}

impl Rewrite {
    /// Locks and reads the file at `path`, following links to it.
    ///
    /// # Errors
    /// When it cannot be read, is locked, or may not be written.
    pub(crate) fn begin(path: &Path, limit: u64) -> Result<Self, Failure> {
        let real = path.canonicalize().map_err(|error| Failure::io(path, "open it", &error))?;
        let lock = lock::exclusive(&real).map_err(|failure| shown_as(failure, path))?;
        let before = read(&real, limit).map_err(|failure| shown_as(failure, path))?;
        check_writable(&real).map_err(|failure| shown_as(failure, path))?;
        Ok(Self { real, before, lock })
    }

    /// As [`Self::begin`], with the text; a dry run only reads.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) fn begin_or_read(path: &Path, limit: u64, dry: bool) -> Result<(Option<Self>, SecretBytes), Failure> {
        if dry {
            return Ok((None, read(path, limit)?));
        }
        let rewrite = Self::begin(path, limit)?;
        let text = rewrite.before.duplicate();
        Ok((Some(rewrite), text))
    }

    /// What the file holds.
    pub(crate) fn before(&self) -> &SecretBytes {
        &self.before
    }

    /// Replaces the file by `after`, unless somebody changed it meanwhile.
    ///
    /// # Errors
    /// When the new file cannot be written; the old one is untouched then.
    pub(crate) fn commit(self, after: &(impl Content + ?Sized)) -> Result<(), Failure> {
        let Self { real, before, lock } = self;
        if !still_holds(&real, &before)? {
            let what = "it was changed by somebody else meanwhile; nothing was written";
            return Err(Failure::new(Exit::Generic, what).in_file(&real).hint("try again"));
        }
        replace_real(&real, after)?;
        drop(lock);
        Ok(())
    }
}

/// Whether the file at `path` holds `bytes`, compared part by part.
fn still_holds(path: &Path, bytes: &SecretBytes) -> Result<bool, Failure> {
    let mut file = open_regular(path)?;
    let mut rest = bytes.expose();
    let mut part = zeroize::Zeroizing::new(vec![0; rest.len().clamp(1, 64 << 10)]);
    loop {
        let read = file.read(&mut part).map_err(|error| Failure::io(path, "read it", &error))?;
        match rest.split_at_checked(read) {
            Some(_) if read == 0 => return Ok(rest.is_empty()),
            Some((same, behind)) if *same == part[..read] => rest = behind,
            _ => return Ok(false),
        }
    }
}

fn shown_as(mut failure: Failure, path: &Path) -> Failure {
    failure.file = Some(path.to_owned());
    failure
}

/// Renaming would get round a read-only mode; refuse as opening for writing would.
fn check_writable(path: &Path) -> Result<(), Failure> {
    let refused = OpenOptions::new().write(true).open(path).err();
    refused.map_or(Ok(()), |error| Err(Failure::io(path, "write it", &error).exit(Exit::Output)))
}

/// Writes `content` to `path`: a temporary file in the same folder, synced, renamed over the old one, the folder
/// synced. Mode and owner of an existing file are kept; links are followed; new files get `0600`… as given.
///
/// # Errors
/// When any step fails; then `path` is as it was.
pub(crate) fn replace(path: &Path, content: &(impl Content + ?Sized)) -> Result<(), Failure> {
    let real = path.canonicalize().unwrap_or_else(|_| behind_links(path));
    if real.is_file() {
        check_writable(&real)?;
    }
    replace_real(&real, content).map_err(|failure| shown_as(failure, path))
}

/// Where links lead whose last target does not exist yet: it is made there, and the links stay.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = std::fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

/// The same for a file that is no link and may be written.
fn replace_real(real: &Path, content: &(impl Content + ?Sized)) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io(real, "write it", &error).exit(Exit::Output);
    let old = std::fs::metadata(real).ok();
    if let Some(old) = &old
        && !old.is_file()
    {
        return Err(Failure::new(Exit::Output, "is not a regular file").in_file(real));
    }
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sweep(folder, real);
    let mut temp = tempfile::Builder::new()
        .prefix(&temp_prefix(real))
        .rand_bytes(8)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(|error| no_new_file(&error).unwrap_or_else(|| failed(error)))?;
    lock::hold(temp.as_file());
    content.write_to(temp.as_file_mut()).map_err(failed)?;
    keep_attributes(temp.as_file(), old.as_ref()).map_err(failed)?;
    temp.as_file().sync_all().map_err(failed)?;
    temp.persist(real).map_err(|error| no_place(&error.error).unwrap_or_else(|| failed(error.error)))?;
    if old.as_ref().is_some_and(|old| old.nlink() > 1) {
        ui::note(&format!("note: {}: its other names (hard links) keep the old content", shown(real)));
    }
    let mut later = LATER.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *later {
        Some(folders) => drop(folders.insert(folder.to_owned())),
        None => sync(folder),
    }
    Ok(())
}

/// A folder in which no file can be made, whatever the mode of the file to be replaced.
fn no_new_file(error: &std::io::Error) -> Option<Failure> {
    let is_folder = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
    let what = format!("cannot write it: its folder takes no new file ({})", reason(error));
    let hint = "a new file takes the place of the old one, so the folder must be writable";
    is_folder.then(|| Failure::new(Exit::Output, what).hint(hint))
}

/// A file whose place no other can take, since it is mounted there.
fn no_place(error: &std::io::Error) -> Option<Failure> {
    let what = "cannot write it: it is mounted here by itself, so that no new file can take its place";
    let hint = "mount its folder instead, or write to another file with --output";
    (error.kind() == ErrorKind::ResourceBusy).then(|| Failure::new(Exit::Output, what).hint(hint))
}

/// Folders with renamed files in them that are synced when many files are done.
static LATER: Mutex<Option<BTreeSet<PathBuf>>> = Mutex::new(None);

/// Runs `work` and then syncs each folder in which files were replaced, once. Every file is whole at any time: it was
/// synced before it was renamed.
pub(crate) fn syncing_once<T>(work: impl FnOnce() -> T) -> T {
    *LATER.lock().unwrap_or_else(PoisonError::into_inner) = Some(BTreeSet::new());
    let result = work();
    let folders = LATER.lock().unwrap_or_else(PoisonError::into_inner).take();
    folders.iter().flatten().for_each(|folder| sync(folder));
    result
}

/// The rename is done; a folder that cannot be synced (some network file systems) is no reason to fail.
fn sync(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Mode and owner of the old file; a new file gets what the umask leaves of 0644.
fn keep_attributes(file: &File, old: Option<&std::fs::Metadata>) -> std::io::Result<()> {
    let Some(old) = old else {
        return file.set_permissions(Permissions::from_mode(0o666 & !umask()));
    };
    let new = file.metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        // Not root: the group may still be kept; an owner who cannot be kept is the ordinary case of a
        // shared folder, as with any editor that writes by renaming.
        if std::os::unix::fs::fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
            let _ = std::os::unix::fs::fchown(file, None, Some(old.gid()));
        }
    }
    file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))
}

fn umask() -> u32 {
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::process::umask(old);
    old.bits()
}

fn temp_prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    let name = path.file_name().unwrap_or_default();
    // File names are at most 255 bytes; a long one is cut to leave room for ours.
    let cut = &name.as_bytes()[..name.len().min(200)];
    prefix.push(std::ffi::OsStr::from_bytes(cut));
    prefix.push(".plomb-");
    prefix
}

/// Removes temporary files that a killed run left beside `path`, unless their writer still lives. A folder is
/// listed once per run: a thousand files in it must not mean a thousand listings.
fn sweep(folder: &Path, path: &Path) {
    static LISTED: Mutex<BTreeMap<PathBuf, Arc<[OsString]>>> = Mutex::new(BTreeMap::new());
    let left = {
        let mut listed = LISTED.lock().unwrap_or_else(PoisonError::into_inner);
        listed.entry(folder.to_owned()).or_insert_with(|| left_over(folder)).clone()
    };
    let prefix = temp_prefix(path);
    for name in left.iter().filter(|name| name.as_bytes().starts_with(prefix.as_bytes())) {
        let old = folder.join(name);
        if let Ok(file) = open_regular(&old)
            && lock::is_free(&file)
        {
            let _ = std::fs::remove_file(old);
        }
    }
}

/// The names in `folder` that look like our temporary files.
fn left_over(folder: &Path) -> Arc<[OsString]> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_ours = |name: &OsString| memchr::memmem::find(name.as_bytes(), b".plomb-").is_some();
    entries.map(|entry| entry.file_name()).filter(is_ours).collect()
}
