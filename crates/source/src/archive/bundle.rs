//! Archives of many files: zip and tar.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use zip::result::ZipError;

use super::meter::Unfolding;
use super::{Opener, Stop, salvage};
use crate::path;
use crate::sniff::Archive;

/// Every file of a zip archive.
pub(super) fn zip(opener: &mut Opener<'_, '_, '_>, reader: &mut (impl Read + Seek), depth: usize) -> Result<(), Stop> {
    let damage = match zip::ZipArchive::new(&mut *reader) {
        Ok(archive) if !archive.is_empty() => return listed(opener, archive, depth),
        Ok(_) => None,
        Err(error) => Some(broken(error)),
    };
    reader.seek(SeekFrom::Start(0))?;
    let found = salvage::zip(opener, reader, depth)?;
    match damage {
        None if found == 0 => Ok(()),
        None => Err(Stop::Broken("the archive's directory does not name its files".to_owned())),
        Some(damage) => Err(damage),
    }
}

/// Every file of a zip archive, by its central directory.
fn listed<R: Read + Seek>(
    opener: &mut Opener<'_, '_, '_>,
    mut archive: zip::ZipArchive<R>,
    depth: usize,
) -> Result<(), Stop> {
    for index in 0..archive.len() {
        opener.budget.entry()?;
        let (name, encrypted, is_file) = match archive.by_index_raw(index) {
            Ok(file) => (clean(file.name_raw()), file.encrypted(), file.is_file()),
            Err(error) => {
                opener.settle(Err(broken(error)))?;
                continue;
            }
        };
        if !is_file {
            continue;
        }
        opener.inside(&name, |opener| {
            if encrypted {
                return opener.skip("an encrypted file of an archive");
            }
            let outcome = match archive.by_index(index) {
                Ok(file) => opener.file(&mut Unfolding::new(file, &opener.budget.clone()), depth),
                Err(error) => Err(broken(error)),
            };
            opener.settle(outcome)
        })?;
    }
    Ok(())
}

/// Every file of a tar archive, in the order of the stream.
pub(super) fn tar(opener: &mut Opener<'_, '_, '_>, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
    let outcome = members(opener, reader, depth);
    // An archive that is none at all is scanned as it is by who asked for it to be opened.
    let is_none = opener.kind == Archive::Tar && opener.entries == 0;
    if matches!(outcome, Err(Stop::Broken(_))) && !is_none {
        // Nothing of a tar archive is compressed: behind the damage is still what was there.
        opener.text(reader)?;
    }
    outcome
}

fn members(opener: &mut Opener<'_, '_, '_>, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries()? {
        let mut entry = entry?;
        opener.budget.entry()?;
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            continue;
        }
        let name = clean(&entry.path_bytes());
        opener.inside(&name, |opener| member(opener, &mut entry, depth))?;
    }
    Ok(())
}

fn member(
    opener: &mut Opener<'_, '_, '_>,
    entry: &mut tar::Entry<'_, &mut dyn Read>,
    depth: usize,
) -> Result<(), Stop> {
    let size = entry.size();
    // The holes of a sparse file take no room in the archive.
    let sparse = entry.header().entry_type().is_gnu_sparse();
    let mut unfolding;
    let inner: &mut dyn Read = if sparse {
        unfolding = Unfolding::new(entry, &opener.budget);
        &mut unfolding
    } else {
        entry
    };
    let mut counted = Counted { inner, bytes: 0 };
    let outcome = opener.file(&mut counted, depth);
    opener.settle(outcome)?;
    io::copy(&mut counted, &mut io::sink())?;
    if counted.bytes < size {
        return Err(Stop::Broken("the archive ends too early".to_owned()));
    }
    Ok(())
}

/// Counts what was read, since a tar stream that ends early looks like the end of a file.
pub(super) struct Counted<'r> {
    pub(super) inner: &'r mut dyn Read,
    pub(super) bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

pub(super) fn clean(name: &[u8]) -> BString {
    let name: &BStr = name.as_bstr();
    path::clean(&name.to_path().map_or_else(|_| Path::new("").to_owned(), Path::to_owned))
}

fn broken(error: ZipError) -> Stop {
    match error {
        ZipError::Io(error) => error.into(),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            Stop::Broken("compressed in a way that is not supported".to_owned())
        }
        _ => Stop::Broken("the archive is damaged or ends too early".to_owned()),
    }
}
