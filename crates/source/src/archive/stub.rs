//! Zip archives behind something else: a script or a program that unpacks or runs them. They are found by their end.

use std::io::{Cursor, Read, Seek, SeekFrom};

/// Length of the record at a zip archive's end, without its comment (APPNOTE 4.3.16).
const END_BYTES: usize = 22;

/// Longer comments are not looked for: every file's end is searched this far.
const COMMENT_BYTES: usize = 4096;

/// Length of an entry of the directory, without its names (APPNOTE 4.3.12).
const ENTRY_BYTES: usize = 46;

/// Whether what begins so may be a program, by its first bytes.
pub(super) fn may_begin(head: &[u8]) -> bool {
    [&b"#!"[..], b"MZ", b"\x7fELF"].iter().any(|magic| head.starts_with(magic))
}

/// How many bytes stand before the zip archive that these bytes end with; `None` if there is no such.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let tail = &bytes[bytes.len().saturating_sub(END_BYTES + COMMENT_BYTES)..];
    memchr::memmem::find(tail, b"PK\x05\x06")?;
    let length = length_in(&mut Cursor::new(bytes), bytes.len() as u64)?;
    usize::try_from(length).ok()
}

/// The same for a file of `size` bytes, whose place is lost.
pub(crate) fn length_in(file: &mut (impl Read + Seek), size: u64) -> Option<u64> {
    let tail = size.min((END_BYTES + COMMENT_BYTES) as u64);
    let mut end = vec![0; usize::try_from(tail).ok()?];
    file.seek(SeekFrom::Start(size - tail)).ok()?;
    file.read_exact(&mut end).ok()?;
    let at = memchr::memmem::rfind_iter(&end, b"PK\x05\x06").find(|at| ends(&end[*at..]))?;
    let (directory_bytes, directory_at) = (number(&end[at + 12..]), number(&end[at + 16..]));
    let directory = (size - tail + at as u64).checked_sub(directory_bytes)?;
    let mut entry = [0; ENTRY_BYTES];
    file.seek(SeekFrom::Start(directory)).ok()?;
    file.read_exact(&mut entry).ok()?;
    if !entry.starts_with(b"PK\x01\x02") {
        return None;
    }
    // What was put before it may be counted in its offsets or not.
    let before = directory.checked_sub(directory_at)?;
    before.checked_add(number(&entry[42..])).filter(|length| *length < directory)
}

/// Whether a record and its comment fill this to the end.
fn ends(record: &[u8]) -> bool {
    record.len() >= END_BYTES && usize::from(u16::from_le_bytes([record[20], record[21]])) == record.len() - END_BYTES
}

fn number(bytes: &[u8]) -> u64 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into()
}
