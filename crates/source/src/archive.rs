//! Archives and compressed files, recognised by their content and opened to a limited depth, in bounded memory.
//! Inner files are named `outer!inner`; a file that is only compressed keeps the outer name.

mod bundle;
mod decode;
mod meter;

use std::error::Error;
use std::io::{self, Cursor, Read, Seek};

use bstr::BString;

use crate::feed::{Feed, Part, Take};
use crate::sniff::{self, Archive, Kind};
use meter::{Budget, Meter, Stop};

/// Archives inside archives that need to be held in memory may be this large.
const NESTED_BYTES: u64 = 64 << 20;

/// What came of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Everything was seen or named.
    Whole,
    /// The bytes are not what they seemed, or end too early: named as skipped; the caller scans them as they are.
    Broken,
}

/// Opens an archive that is in memory.
pub(crate) fn open_bytes(
    feed: &mut Feed<'_>,
    kind: Archive,
    bytes: &[u8],
    paths: &[BString],
    take: Take<'_>,
) -> Opened {
    open(feed, kind, &mut Cursor::new(bytes), bytes.len() as u64, paths, take)
}

/// Opens an archive of `size` bytes from its start.
pub(crate) fn open(
    feed: &mut Feed<'_>,
    kind: Archive,
    reader: &mut (impl Read + Seek),
    size: u64,
    paths: &[BString],
    take: Take<'_>,
) -> Opened {
    let depth = feed.limits.archive_depth;
    if depth == 0 {
        paths.iter().for_each(|path| feed.skipped(path, "an archive; none are opened"));
        return Opened::Whole;
    }
    let budget = Budget::new(feed.limits, size);
    let mut opener = Opener { feed, take, outer: paths, inner: BString::default(), budget };
    let outcome = match kind {
        Archive::Zip => bundle::zip(&mut opener, reader, depth - 1),
        Archive::Tar => bundle::tar(&mut opener, reader, depth - 1),
        kind => opener.compressed(kind, reader, depth - 1),
    };
    opener.report(outcome)
}

/// One outermost archive and how far into it we are.
struct Opener<'o, 'f, 't> {
    feed: &'o mut Feed<'f>,
    take: Take<'t>,
    outer: &'o [BString],
    /// `!a!b`, or empty.
    inner: BString,
    budget: Budget,
}

impl Opener<'_, '_, '_> {
    /// Does something one step further in.
    fn inside<T>(&mut self, name: &[u8], work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.inner.len();
        self.inner.extend_from_slice(b"!");
        self.inner.extend_from_slice(name);
        let answer = work(self);
        self.inner.truncate(length);
        answer
    }

    /// The names of what is being read, one for each path of the outermost archive.
    fn names(&self) -> Vec<BString> {
        self.outer.iter().map(|path| BString::from([path.as_slice(), &self.inner].concat())).collect()
    }

    /// One file of an archive, of any kind.
    fn file(&mut self, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
        let budget = self.budget.clone();
        let mut reader = Meter { inner: reader, budget: &budget };
        let mut head = Vec::new();
        (&mut reader).take(sniff::HEAD as u64).read_to_end(&mut head)?;
        let kind = sniff::kind(&head);
        let mut whole = Cursor::new(head).chain(reader);
        match kind {
            Kind::Media => Ok(()),
            Kind::Closed => self.skip("an archive of a kind that is not opened"),
            Kind::Plain => self.text(&mut whole),
            Kind::Archive(_) if depth == 0 => self.skip("an archive inside archives, deeper than is opened"),
            Kind::Archive(Archive::Tar) => bundle::tar(self, &mut whole, depth - 1),
            Kind::Archive(Archive::Zip) => self.nested_zip(&mut whole, depth - 1),
            Kind::Archive(kind) => self.compressed(kind, &mut whole, depth - 1),
        }
    }

    /// A compressed file: a tar below it does not count as one more level.
    fn compressed(&mut self, kind: Archive, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
        let budget = self.budget.clone();
        let decoder = decode::decoder(kind, reader)?;
        let mut reader = Meter { inner: decoder, budget: &budget };
        let mut head = Vec::new();
        (&mut reader).take(sniff::HEAD as u64).read_to_end(&mut head)?;
        match sniff::kind(&head) {
            Kind::Archive(Archive::Tar) => bundle::tar(self, &mut Cursor::new(head).chain(reader), depth),
            _ => self.file(&mut Cursor::new(head).chain(reader), depth),
        }
    }

    fn nested_zip(&mut self, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        reader.take(NESTED_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > NESTED_BYTES {
            return self.skip("an archive inside an archive, too large to be opened");
        }
        bundle::zip(self, &mut Cursor::new(bytes), depth)
    }

    fn text(&mut self, reader: &mut dyn Read) -> Result<(), Stop> {
        let names = self.names();
        let inner = self.inner.clone();
        let take = &mut *self.take;
        Ok(self
            .feed
            .stream(reader, &names, &mut |visitor, part| take(visitor, Part { inner: inner.clone(), ..part }))?)
    }

    /// Goes on after one file that could not be read; passes on what ends the whole archive.
    fn settle(&mut self, outcome: Result<(), Stop>) -> Result<(), Stop> {
        match outcome {
            Err(Stop::Broken(why)) => {
                let names = self.names();
                names.iter().for_each(|name| self.feed.unread(name, &why));
                Ok(())
            }
            other => other,
        }
    }

    /// Names what is being read as left out, and goes on.
    fn skip(&mut self, why: &'static str) -> Result<(), Stop> {
        let names = self.names();
        names.iter().for_each(|name| self.feed.skipped(name, why));
        Ok(())
    }

    fn report(self, outcome: Result<(), Stop>) -> Opened {
        match outcome {
            Ok(()) => Opened::Whole,
            Err(Stop::Limit(why)) => {
                self.outer.iter().for_each(|path| self.feed.skipped(path, why));
                Opened::Whole
            }
            // Every byte of it is read, only not as an archive.
            Err(Stop::Broken(_)) => {
                self.outer.iter().for_each(|path| self.feed.skipped(path, "a damaged archive: scanned as it is"));
                Opened::Broken
            }
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        let mut inner = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
        while let Some(error) = inner {
            if let Some(exhausted) = error.downcast_ref::<meter::Exhausted>() {
                return Self::Limit(exhausted.0);
            }
            // Decoders wrap the errors of what they read from.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            inner = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
        }
        Self::Broken(format!("the archive is damaged or ends too early ({kind})"))
    }
}
