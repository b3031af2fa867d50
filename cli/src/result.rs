//! Where a result goes: to standard output, to a file, or to what else a script names (`/dev/stdout`, `>(…)`).

use std::fs::OpenOptions;
use std::path::Path;

use crate::content::Content;
use crate::failure::{Exit, Failure};
use crate::{files, ui};

/// Whether the path is a name of standard output. What that leads to may be a socket or a file that was removed: the
/// path must not be taken for that of a file to replace.
fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Writes a result to the file, pipe or device at `path`; without one, or where that is a name of it, to standard output.
///
/// # Errors
/// When it cannot be written; an existing file is as it was then.
pub(crate) fn put(path: Option<&Path>, result: &(impl Content + ?Sized)) -> Result<(), Failure> {
    match path {
        None => ui::print(result),
        Some(path) if is_stdout(path) => ui::print(result),
        Some(path) if files::is_stream(path) => {
            let file = OpenOptions::new().write(true).open(path);
            let written = file.and_then(|mut file| result.write_to(&mut file));
            written.map_err(|error| Failure::io(path, "write it", &error).exit(Exit::Output))
        }
        Some(path) => files::replace(path, result),
    }
}
