//! Output as scripts name it to SOPS: `/dev/stdout`, pipes of a shell's `>(…)`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::failure::{Exit, Failure};
use crate::{files, ui};

/// Whether the path is a name of standard output. What that leads to may be a socket or a file that was removed: the
/// path must not be taken for that of a file to replace.
fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Writes a result to `path`, or to standard output.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(path: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match path {
        None => ui::print(bytes),
        Some(path) if is_stdout(path) => ui::print(bytes),
        Some(path) if files::is_stream(path) => {
            let file = OpenOptions::new().write(true).open(path);
            let written = file.and_then(|mut file| file.write_all(bytes));
            written.map_err(|error| Failure::io(path, "write it", &error).exit(Exit::Output))
        }
        Some(path) => files::replace(path, bytes),
    }
}
