//! Input and output as scripts give them to SOPS: `/dev/stdin`, `/dev/stdout`, pipes of a shell's `<(…)`.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use secret::SecretBytes;

use crate::failure::{Exit, Failure};
use crate::{files, ui};

/// Whether the path leads to a pipe or a terminal rather than to a file.
fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo() || meta.file_type().is_char_device())
}

/// Reads a file or stream of at most `limit` bytes.
///
/// # Errors
/// As [`files::read`].
pub(super) fn read(path: &Path, limit: u64) -> Result<SecretBytes, Failure> {
    if !is_stream(path) {
        return files::read(path, limit);
    }
    let file = File::open(path).map_err(|error| Failure::io(path, "open it", &error))?;
    let mut bytes = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    let text = SecretBytes::new(bytes);
    read.map_err(|error| Failure::io(path, "read it", &error))?;
    if text.expose().len() as u64 > limit {
        return Err(Failure::new(Exit::Input, format!("is larger than {} MiB", limit >> 20)).in_file(path));
    }
    Ok(text)
}

/// Writes a result to `path`, or to standard output.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match path {
        None => ui::print(bytes),
        Some(path) if is_stream(path) => {
            let file = OpenOptions::new().write(true).open(path);
            let written = file.and_then(|mut file| file.write_all(bytes));
            written.map_err(|error| Failure::io(path, "write it", &error).exit(Exit::Output))
        }
        Some(path) => files::replace(path, bytes),
    }
}
