//! One writer at a time: an advisory lock on the file that is about to be replaced.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::failure::{Exit, Failure};

const PATIENCE: Duration = Duration::from_secs(5);

/// An exclusive lock, released on drop.
#[derive(Debug)]
pub(crate) struct Lock(#[allow(dead_code, reason = "held for its lock, never read")] File);

/// Locks the file at `path`. Writers replace files by renaming, so after locking the inode is compared with
/// the path's; if another writer was faster, the new file is locked instead.
///
/// # Errors
/// When another process holds the lock for five seconds.
pub(crate) fn exclusive(path: &Path) -> Result<Lock, Failure> {
    let start = Instant::now();
    loop {
        let file = super::files::open_regular(path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let (ours, now) = (file.metadata(), std::fs::metadata(path));
            if let (Ok(ours), Ok(now)) = (ours, now)
                && (ours.dev(), ours.ino()) == (now.dev(), now.ino())
            {
                return Ok(Lock(file));
            }
        }
        if start.elapsed() > PATIENCE {
            let holder = holder(path).map_or(String::new(), |pid| format!(" (process {pid})"));
            let what = format!("another process{holder} has it locked");
            return Err(Failure::new(Exit::Generic, what).in_file(path).hint("wait for it to finish, then try again"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether nobody holds a lock on a left-over temporary file.
pub(crate) fn is_free(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Takes the lock of a file that only we know yet.
pub(crate) fn hold(file: &File) {
    // A file system without locks still gets atomic replacement.
    let _ = flock(file, FlockOperation::NonBlockingLockExclusive);
}

/// The process that holds the lock, where the kernel tells.
fn holder(path: &Path) -> Option<String> {
    let inode = std::fs::metadata(path).ok()?.ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let line = locks
        .lines()
        .find(|line| line.split_whitespace().nth(5).is_some_and(|id| id.ends_with(&format!(":{inode}"))))?;
    line.split_whitespace().nth(4).map(str::to_owned)
}
