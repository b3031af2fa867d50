//! A private folder for plaintext that another program must see as a file: in memory where possible, ours alone,
//! gone afterwards however we end. What a killed run left is swept by the next one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::failure::{Exit, Failure};
use crate::{lock, signals, ui};

/// Where the folder may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Only in memory.
    Memory,
    /// In the temporary folder if need be: the user allowed it, or nothing secret will lie there.
    AlsoDisk,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Room {
    path: PathBuf,
    kept: bool,
    /// Held for its lock: it tells the sweep of other runs that we live.
    _lock: File,
}

impl Room {
    /// Makes one in the first place that will do, and sweeps there.
    ///
    /// # Errors
    /// When no place will do.
    pub(crate) fn new(place: Place) -> Result<Self, Failure> {
        let mut last = None;
        for base in bases(place) {
            sweep(&base);
            match Self::make(&base) {
                Ok(room) => return Ok(room),
                Err(error) => last = Some(Failure::io(&base, "make a private folder in it", &error)),
            }
        }
        Err(last.unwrap_or_else(|| {
            let what = "there is no place in memory for the decrypted text (XDG_RUNTIME_DIR, /dev/shm)";
            Failure::new(Exit::Generic, what).hint("--allow-disk-temp writes it to the temporary folder on disk")
        }))
    }

    fn make(base: &Path) -> std::io::Result<Self> {
        let prefix = prefix();
        loop {
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix).rand_bytes(12).permissions(Permissions::from_mode(0o700));
            let path = builder.tempdir_in(base)?.keep();
            // A sweep that runs at this moment takes it for a leftover; then another one is made.
            if let Some(lock) = open_folder(&path).filter(lock::is_free).filter(|_| path.exists()) {
                signals::remove_at_end(&path);
                return Ok(Self { path, kept: false, _lock: lock });
            }
        }
    }

    /// A path in the folder for a file named as `like`.
    pub(crate) fn path_for(&self, like: &Path) -> PathBuf {
        self.path.join(like.file_name().unwrap_or_else(|| "text".as_ref()))
    }

    /// Writes a file that only we can read.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let written = file.and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| Failure::io(path, "write it", &error).exit(Exit::Output))
    }

    /// Makes a FIFO that only we can use.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn fifo(&self, path: &Path) -> Result<(), Failure> {
        make_fifo(path).map_err(|error| Failure::io(path, "make a FIFO", &error))
    }

    /// Gives the folder and the files in it to another user.
    ///
    /// # Errors
    /// When we may not.
    pub(crate) fn give_to(&self, uid: u32, gid: u32) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::io(&self.path, "give it to the user", &error);
        for entry in std::fs::read_dir(&self.path).map_err(failed)?.flatten() {
            std::os::unix::fs::lchown(entry.path(), Some(uid), Some(gid)).map_err(failed)?;
        }
        std::os::unix::fs::lchown(&self.path, Some(uid), Some(gid)).map_err(failed)
    }

    /// Leaves the folder where it is, under a name that no sweep touches, and says where `file` is now.
    pub(crate) fn keep(mut self, file: &Path) -> PathBuf {
        self.kept = true;
        signals::forget(&self.path);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().replacen("plomb-", "plomb-kept-", 1);
        let to = self.path.with_file_name(name);
        let folder = if std::fs::rename(&self.path, &to).is_ok() { to } else { self.path.clone() };
        folder.join(file.file_name().unwrap_or_default())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.kept {
            // A passing fault must not leave plaintext behind; what still fails is swept at the next start.
            let _ = (0..3).find(|_| std::fs::remove_dir_all(&self.path).is_ok());
            signals::forget(&self.path);
        }
    }
}

#[cfg(not(target_os = "macos"))]
fn make_fifo(path: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, Mode, mkfifoat};
    Ok(mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?)
}

#[cfg(target_os = "macos")]
fn make_fifo(path: &Path) -> std::io::Result<()> {
    let made = std::process::Command::new("/usr/bin/mkfifo").args(["-m", "600"]).arg(path).status()?;
    if made.success() { Ok(()) } else { Err(std::io::ErrorKind::Other.into()) }
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn prefix() -> String {
    format!("plomb-{}-", me())
}

/// The places, best first.
fn bases(place: Place) -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| is_ours_alone(path));
    let shared = Some(PathBuf::from("/dev/shm")).filter(|path| is_memory(path));
    let temporary = std::env::temp_dir();
    let per_user = Some(temporary.clone()).filter(|path| cfg!(target_os = "macos") && is_ours_alone(path));
    if per_user.is_some() && place == Place::Memory {
        ui::note("note: the decrypted text lies in your own temporary folder, which is on disk, until this ends");
    }
    let disk = Some(temporary).filter(|_| place == Place::AlsoDisk);
    [runtime, shared, per_user, disk].into_iter().flatten().collect()
}

fn is_ours_alone(path: &Path) -> bool {
    let meta = std::fs::metadata(path);
    path.is_absolute() && meta.is_ok_and(|meta| meta.is_dir() && meta.uid() == me() && meta.mode() & 0o077 == 0)
}

#[cfg(target_os = "linux")]
fn is_memory(path: &Path) -> bool {
    const TMPFS: i64 = 0x0102_1994;
    #[allow(clippy::unnecessary_cast, reason = "the field's type differs between architectures")]
    rustix::fs::statfs(path).is_ok_and(|found| found.f_type as i64 == TMPFS)
}

#[cfg(not(target_os = "linux"))]
fn is_memory(_path: &Path) -> bool {
    false
}

fn open_folder(path: &Path) -> Option<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path).ok()
}

/// Removes folders that killed runs of this user left in `base`.
fn sweep(base: &Path) {
    let prefix = prefix();
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().as_bytes().starts_with(prefix.as_bytes())) {
        let Some(folder) = open_folder(&entry.path()) else { continue };
        if folder.metadata().is_ok_and(|meta| meta.uid() == me()) && lock::is_free(&folder) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
