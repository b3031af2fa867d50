//! Archives of many files: zip and tar.

use std::io::{self, Read, Seek};
use std::path::Path;

use bstr::{BStr, BString, ByteSlice};
use zip::result::ZipError;

use super::{Opener, Stop};
use crate::path;

/// Every file of a zip archive, by its central directory.
pub(super) fn zip(opener: &mut Opener<'_, '_, '_>, reader: &mut (impl Read + Seek), depth: usize) -> Result<(), Stop> {
    let mut archive = zip::ZipArchive::new(reader).map_err(broken)?;
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
                Ok(mut file) => opener.file(&mut file, depth),
                Err(error) => Err(broken(error)),
            };
            opener.settle(outcome)
        })?;
    }
    Ok(())
}

/// Every file of a tar archive, in the order of the stream.
pub(super) fn tar(opener: &mut Opener<'_, '_, '_>, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries()? {
        let mut entry = entry?;
        opener.budget.entry()?;
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
            continue;
        }
        let name = clean(&entry.path_bytes());
        let size = entry.size();
        opener.inside(&name, |opener| {
            let mut counted = Counted { inner: &mut entry, bytes: 0 };
            let outcome = opener.file(&mut counted, depth);
            opener.settle(outcome)?;
            io::copy(&mut counted, &mut io::sink())?;
            if counted.bytes < size {
                return Err(Stop::Broken("the archive ends too early".to_owned()));
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Counts what was read, since a tar stream that ends early looks like the end of a file.
struct Counted<'r> {
    inner: &'r mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

fn clean(name: &[u8]) -> BString {
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
