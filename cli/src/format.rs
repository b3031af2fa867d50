//! Which format a file has: flags first, then its name.

use std::path::Path;

use document::Format;
use document::format::{by_name, for_path};

/// The format named by a flag; SOPS goes by the file's name where the word is unknown, and so do we.
pub(crate) fn choose(flag: Option<&str>, path: &Path) -> &'static dyn Format {
    use std::os::unix::ffi::OsStrExt as _;
    flag.and_then(by_name).unwrap_or_else(|| for_path(path.as_os_str().as_bytes()))
}
