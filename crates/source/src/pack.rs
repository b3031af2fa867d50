//! Packs, read directly: by position, never mapped into memory, each entry inflated with what is needed and no more.

pub(crate) mod delta;
mod inflate;
pub(crate) mod reader;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use gix::ObjectId;
use gix::objs::Kind;

pub(crate) use inflate::Inflater;

/// Packs up to this size are read as a whole when first needed; larger ones entry by entry.
const WHOLE_BYTES: u64 = 48 << 20;

/// An object in memory is never larger than this; larger blobs are streamed, or named.
pub(crate) const LARGEST: u64 = 128 << 20;

/// One pack and its index.
pub(crate) struct Pack {
    index: gix::odb::pack::index::File,
    file: File,
    /// Where the last entry ends.
    end: u64,
    whole: OnceLock<Option<Vec<u8>>>,
    offsets: OnceLock<Vec<u64>>,
}

/// What an entry says of itself before its compressed bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) base: Base,
    /// Size of what is compressed: the object, or the delta.
    pub(crate) size: u64,
    /// Where the compressed bytes begin and end in the pack.
    pub(crate) data: (u64, u64),
}

/// What an entry is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    /// Nothing: it is whole.
    Whole(Kind),
    /// The entry at this offset of the same pack.
    Offset(u64),
    /// An object, wherever it is.
    Object(ObjectId),
}

/// The entry cannot be what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Not readable.
    Broken,
    /// Larger than [`LARGEST`].
    TooLarge,
}

impl From<io::Error> for Damage {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

impl Pack {
    /// Opens a pack by its index file.
    pub(crate) fn open(index: &Path, hash: gix::hash::Kind) -> Option<Self> {
        // Opening anything but a file could wait forever.
        index.metadata().ok().filter(|metadata| metadata.is_file())?;
        let path = index.with_extension("pack");
        path.metadata().ok().filter(|metadata| metadata.is_file())?;
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let index = gix::odb::pack::index::File::at(index, hash).ok()?;
        let end = metadata.len().checked_sub(hash.len_in_bytes() as u64)?;
        let pack = Self { index, file, end, whole: OnceLock::new(), offsets: OnceLock::new() };
        let mut magic = [0; 4];
        pack.file.read_exact_at(&mut magic, 0).ok()?;
        (&magic == b"PACK").then_some(pack)
    }

    /// The offset of an object's entry.
    pub(crate) fn find(&self, id: &gix::oid) -> Option<u64> {
        self.index.lookup(id).map(|entry| self.index.pack_offset_at_index(entry))
    }

    /// What stands at an offset.
    pub(crate) fn header(&self, offset: u64) -> Result<Header, Damage> {
        let end = self.entry_end(offset)?;
        let mut buffer = [0; 64];
        let length = usize::try_from(end - offset).map_or(64, |length| length.min(64));
        let bytes = match self.whole() {
            Some(whole) => slice(whole, offset, offset + length as u64)?,
            None => {
                self.file.read_exact_at(&mut buffer[..length], offset)?;
                &buffer[..length]
            }
        };
        let (base, size, used) = parse(bytes, offset, self.index.object_hash()).ok_or(Damage::Broken)?;
        // Nothing can be inflated to more than about a thousand times its size: what says so would only cost memory.
        if size / 1100 > end - offset {
            return Err(Damage::Broken);
        }
        Ok(Header { base, size, data: (offset + used as u64, end) })
    }

    /// The object of a whole entry, into `bytes`.
    pub(crate) fn object(&self, header: &Header, inflater: &mut Inflater, bytes: &mut Vec<u8>) -> Result<(), Damage> {
        let size = size(header)?;
        self.compressed(header, |compressed| inflater.object(compressed, size, bytes))
    }

    /// The object that an entry makes from its base, into `bytes`; see [`delta::apply`].
    pub(crate) fn derive(
        &self,
        header: &Header,
        inflater: &mut Inflater,
        base: &[u8],
        bytes: &mut Vec<u8>,
        copied: Option<&mut Vec<scan::Copied>>,
    ) -> Result<(), Damage> {
        let size = size(header)?;
        self.compressed(header, |compressed| delta::apply(base, inflater.delta(compressed, size)?, bytes, copied))
    }

    fn compressed<T>(&self, header: &Header, work: impl FnOnce(&[u8]) -> Result<T, Damage>) -> Result<T, Damage> {
        let (start, end) = header.data;
        if let Some(whole) = self.whole() {
            return work(slice(whole, start, end)?);
        }
        let mut compressed = vec![0; usize::try_from(end - start).map_err(|_| Damage::TooLarge)?];
        self.file.read_exact_at(&mut compressed, start)?;
        work(&compressed)
    }

    /// The bytes of a whole entry of any size, bit by bit.
    pub(crate) fn stream(&self, header: &Header) -> impl io::Read + '_ {
        let (start, end) = header.data;
        flate2::read::ZlibDecoder::new(Range { file: &self.file, at: start, end })
    }

    fn entry_end(&self, offset: u64) -> Result<u64, Damage> {
        let offsets = self.offsets.get_or_init(|| self.index.sorted_offsets());
        let at = offsets.partition_point(|start| *start <= offset);
        if at == 0 || offsets[at - 1] != offset {
            return Err(Damage::Broken);
        }
        let end = offsets.get(at).map_or(self.end, |next| *next).min(self.end);
        if end > offset { Ok(end) } else { Err(Damage::Broken) }
    }

    fn whole(&self) -> Option<&[u8]> {
        let read = || {
            let size = usize::try_from(self.end).ok().filter(|_| self.end <= WHOLE_BYTES)?;
            let mut bytes = vec![0; size];
            self.file.read_exact_at(&mut bytes, 0).ok()?;
            Some(bytes)
        };
        self.whole.get_or_init(read).as_deref()
    }
}

fn size(header: &Header) -> Result<usize, Damage> {
    usize::try_from(header.size).ok().filter(|_| header.size <= LARGEST).ok_or(Damage::TooLarge)
}

fn slice(bytes: &[u8], start: u64, end: u64) -> Result<&[u8], Damage> {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    range.and_then(|(start, end)| bytes.get(start..end)).ok_or(Damage::Broken)
}

/// Base, size of the inflated bytes, and length of the header.
fn parse(bytes: &[u8], offset: u64, hash: gix::hash::Kind) -> Option<(Base, u64, usize)> {
    let first = *bytes.first()?;
    let kind = first >> 4 & 7;
    let mut size = u64::from(first & 15);
    let mut used = 1;
    let mut shift = 4;
    let mut more = first & 0x80 != 0;
    while more {
        let byte = *bytes.get(used)?;
        let part = u64::from(byte & 0x7f);
        if shift > 57 {
            return None;
        }
        size |= part << shift;
        shift += 7;
        used += 1;
        more = byte & 0x80 != 0;
    }
    let base = match kind {
        1 => Base::Whole(Kind::Commit),
        2 => Base::Whole(Kind::Tree),
        3 => Base::Whole(Kind::Blob),
        4 => Base::Whole(Kind::Tag),
        6 => {
            let (distance, length) = distance(bytes.get(used..)?)?;
            used += length;
            Base::Offset(offset.checked_sub(distance).filter(|_| distance > 0)?)
        }
        7 => {
            let id = bytes.get(used..used + hash.len_in_bytes())?;
            used += id.len();
            Base::Object(ObjectId::from_bytes_or_panic(id))
        }
        _ => return None,
    };
    Some((base, size, used))
}

/// How far back the base of a delta lies: base 128, big end first, each continued digit counted from one.
fn distance(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
        value += 1;
    }
    None
}

/// A part of a file.
struct Range<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl io::Read for Range<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(&mut buffer[..room], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
