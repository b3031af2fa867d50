//! Paths as reports show them.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::{BString, ByteSlice};

/// The shortest spelling of a path by its text alone: no `.`, no `a/..`, no doubled `/`; `.` itself becomes empty.
pub(crate) fn clean(path: &Path) -> BString {
    let bytes = path.as_os_str().as_bytes();
    let absolute = bytes.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in bytes.split_str("/") {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if absolute => {}
            _ => parts.push(part),
        }
    }
    let joined = bstr::join("/", parts);
    if absolute { BString::from([b"/", joined.as_slice()].concat()) } else { BString::from(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shortened_by_their_text() {
        let cases = [
            (".", ""),
            ("./", ""),
            ("./a", "a"),
            ("a/", "a"),
            ("./a/../a", "a"),
            ("./a//b", "a/b"),
            ("..//gl", "../gl"),
            ("../../a", "../../a"),
            ("/a/./b", "/a/b"),
            ("/../a", "/a"),
            ("/", "/"),
        ];
        for (given, want) in cases {
            assert_eq!(clean(Path::new(given)), want, "{given}");
        }
    }
}
