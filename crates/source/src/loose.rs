//! Objects in files of their own, each checked against its name: anyone who can write to a clone could put another
//! object, or a smaller one, where a secret was.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use flate2::read::ZlibDecoder;
use gix::ObjectId;
use gix::objs::Kind;

use crate::files::open_through_links;

/// Kind, space, size and a zero byte are never longer.
const LONGEST_HEADER: usize = 32;

/// Nothing can be inflated to more than about a thousand times its size.
const DENSEST: u64 = 1100;

/// Why a file is not the object that it is named after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not readable, or another object.
    Damaged,
    /// Larger than was asked for; what its header says.
    TooLarge,
}

/// An object that was found and whose bytes were not read yet.
struct Found {
    kind: Kind,
    size: u64,
    rest: ZlibDecoder<File>,
}

/// Kind and size as the header says; `None` if no folder has the object.
pub(crate) fn header(folders: &[PathBuf], id: ObjectId) -> Option<Result<(u64, Kind), Fault>> {
    Some(find(folders, id)?.map(|found| (found.size, found.kind)))
}

/// An object of at most `limit` bytes into `buffer`; `None` if no folder has it.
pub(crate) fn read(folders: &[PathBuf], id: ObjectId, limit: u64, buffer: &mut Vec<u8>) -> Option<Result<Kind, Fault>> {
    let found = match find(folders, id)? {
        Ok(found) if found.size > limit => return Some(Err(Fault::TooLarge)),
        Ok(found) => found,
        Err(fault) => return Some(Err(fault)),
    };
    buffer.clear();
    // A size that is a lie shall not reserve memory.
    buffer.reserve(usize::try_from(found.size.min(1 << 20)).unwrap_or(0) + 1);
    let whole = found.rest.take(found.size + 1).read_to_end(buffer).is_ok_and(|read| read as u64 == found.size);
    let named = whole && gix::objs::compute_hash(id.kind(), found.kind, buffer).is_ok_and(|hash| hash == id);
    Some(if named { Ok(found.kind) } else { Err(Fault::Damaged) })
}

/// A blob of any size, bit by bit; the read that comes to its end fails if it was not the one that was asked for.
pub(crate) fn stream(folders: &[PathBuf], id: ObjectId) -> Option<(u64, impl Read + use<>)> {
    let found = find(folders, id)?.ok().filter(|found| found.kind == Kind::Blob)?;
    let mut hasher = gix::hash::hasher(id.kind());
    hasher.update(&gix::objs::encode::loose_header(found.kind, found.size));
    Some((found.size, Checked { inner: found.rest, left: found.size, id, hasher: Some(hasher) }))
}

/// Compares what was read with its name.
struct Checked {
    inner: ZlibDecoder<File>,
    left: u64,
    id: ObjectId,
    hasher: Option<gix::hash::Hasher>,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let other = || io::Error::from(io::ErrorKind::InvalidData);
        self.left = self.left.checked_sub(read as u64).ok_or_else(other)?;
        if read > 0 {
            self.hasher.iter_mut().for_each(|hasher| hasher.update(&buffer[..read]));
        } else if !buffer.is_empty()
            && let Some(hasher) = self.hasher.take()
            && (self.left > 0 || hasher.try_finalize().ok() != Some(self.id))
        {
            return Err(other());
        }
        Ok(read)
    }
}

fn find(folders: &[PathBuf], id: ObjectId) -> Option<Result<Found, Fault>> {
    let name = id.to_string();
    let (start, rest) = name.split_at(2);
    folders.iter().find_map(|folder| match open_through_links(&folder.join(start).join(rest)) {
        Ok(Some((file, size))) => Some(begin(file, size).ok_or(Fault::Damaged)),
        Ok(None) => Some(Err(Fault::Damaged)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(Err(Fault::Damaged)),
    })
}

fn begin(file: File, compressed: u64) -> Option<Found> {
    let mut rest = ZlibDecoder::new(file);
    let mut header = Vec::new();
    for _ in 0..LONGEST_HEADER {
        let mut byte = [0];
        rest.read_exact(&mut byte).ok()?;
        if byte != [0] {
            header.extend(byte);
            continue;
        }
        let space = header.iter().position(|byte| *byte == b' ')?;
        let kind = Kind::from_bytes(&header[..space]).ok()?;
        let size: u64 = std::str::from_utf8(&header[space + 1..]).ok()?.parse().ok()?;
        return (size / DENSEST <= compressed).then_some(Found { kind, size, rest });
    }
    None
}
