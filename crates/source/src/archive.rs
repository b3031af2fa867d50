//! Archives and compressed files, recognised by their content and opened to a limited depth, in bounded memory.
//! Inner files are named `outer!inner`; a file that is only compressed keeps the outer name.

mod bundle;
mod decode;
mod head;
mod meter;
mod salvage;
pub(crate) mod stub;

use std::error::Error;
use std::io::{self, Cursor, Read, Seek};

use bstr::BString;

use crate::feed::{Feed, Part, Take};
use crate::sniff::{self, Archive, Kind};
use head::Head;
use meter::{Budget, Exhausted, Scanning, Stop, Unfolding};

/// Archives inside archives that need to be held in memory may be this large.
const NESTED_BYTES: u64 = 64 << 20;

const TOO_MUCH: &str = "unfolds to more than is read of an archive; not read to its end";
/// Of what was compressed with a larger window than any compressor takes by itself.
const TOO_WIDE: &str = "needs more memory than an archive is given; not read to its end";

/// What came of opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Everything was seen or named.
    Whole,
    /// The bytes are not what they seemed, or end too early, which is named. They were not scanned as they are, and the
    /// caller should.
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
    open(feed, kind, &mut Cursor::new(bytes), paths, take)
}

/// Opens an archive from its start.
pub(crate) fn open(
    feed: &mut Feed<'_>,
    kind: Archive,
    reader: &mut (impl Read + Seek),
    paths: &[BString],
    take: Take<'_>,
) -> Opened {
    let depth = feed.limits.archive_depth;
    if depth == 0 {
        paths.iter().for_each(|path| feed.skipped(path, "an archive; none are opened"));
        return Opened::Whole;
    }
    let budget = Budget::new(feed.limits);
    let mut opener = Opener { feed, take, outer: paths, inner: BString::default(), budget, kind, entries: 0 };
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
    /// The kind of the outermost archive.
    kind: Archive,
    /// How many files of archives were begun.
    entries: usize,
}

impl Opener<'_, '_, '_> {
    /// Does something one step further in.
    fn inside<T>(&mut self, name: &[u8], work: impl FnOnce(&mut Self) -> T) -> T {
        self.entries += 1;
        let share = self.budget.narrow();
        let length = self.inner.len();
        self.inner.extend_from_slice(b"!");
        self.inner.extend_from_slice(name);
        let answer = work(self);
        self.inner.truncate(length);
        self.budget.widen(share);
        answer
    }

    /// The names of what is being read, one for each path of the outermost archive.
    fn names(&self) -> Vec<BString> {
        self.outer.iter().map(|path| BString::from([path.as_slice(), &self.inner].concat())).collect()
    }

    /// One file of an archive, of any kind.
    fn file(&mut self, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
        let mut whole = Head::new(reader);
        match sniff::kind(whole.first()) {
            Kind::Media => Ok(()),
            Kind::Closed => self.skip("an archive of a kind that is not opened"),
            Kind::Plain if depth > 0 && stub::may_begin(whole.first()) => self.program(&mut whole, depth - 1),
            Kind::Plain => self.text(&mut whole),
            Kind::Archive(_) if depth == 0 => self.skip("an archive inside archives, deeper than is opened"),
            Kind::Archive(Archive::Tar) => bundle::tar(self, &mut whole, depth - 1),
            Kind::Archive(Archive::Zip) => self.nested_zip(&mut whole, depth - 1),
            Kind::Archive(kind) => self.compressed(kind, &mut whole, depth - 1),
        }
    }

    /// A compressed file: a tar below it does not count as one more level.
    fn compressed(&mut self, kind: Archive, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
        let mut decoder = Unfolding::new(decode::decoder(kind, reader)?, &self.budget);
        let mut whole = Head::new(&mut decoder);
        match sniff::kind(whole.first()) {
            Kind::Archive(Archive::Tar) => bundle::tar(self, &mut whole, depth),
            _ => self.file(&mut whole, depth),
        }
    }

    /// A program or script, which may have an archive behind it.
    fn program(&mut self, reader: &mut dyn Read, depth: usize) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        let outcome = reader.take(NESTED_BYTES).read_to_end(&mut bytes);
        let end = if outcome.is_ok() { stub::length(&bytes) } else { None };
        let Some(end) = end else {
            return self.text(&mut Head { bytes, at: 0, failure: outcome.err(), rest: reader });
        };
        let opened = bundle::zip(self, &mut Cursor::new(&bytes), depth);
        self.text(&mut &bytes[..end])?;
        opened
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
        let reader = &mut Scanning::new(reader, &self.budget);
        let take = &mut *self.take;
        Ok(self
            .feed
            .stream(reader, &names, &mut |visitor, part| take(visitor, Part { inner: inner.clone(), ..part }))?)
    }

    /// Goes on after one file that could not be read; passes on what ends the whole archive.
    fn settle(&mut self, outcome: Result<(), Stop>) -> Result<(), Stop> {
        let why = match outcome {
            Err(Stop::Broken(why)) => why,
            Err(Stop::File) => TOO_MUCH.to_owned(),
            other => return other,
        };
        let names = self.names();
        names.iter().for_each(|name| self.feed.unread(name, &why));
        Ok(())
    }

    /// Names what is being read as left out, and goes on.
    fn skip(&mut self, why: &'static str) -> Result<(), Stop> {
        let names = self.names();
        names.iter().for_each(|name| self.feed.skipped(name, why));
        Ok(())
    }

    fn report(self, outcome: Result<(), Stop>) -> Opened {
        let (why, opened) = match outcome {
            Ok(()) => return Opened::Whole,
            Err(Stop::File) => (TOO_MUCH.to_owned(), Opened::Whole),
            Err(Stop::Archive(why)) => (why.to_owned(), Opened::Whole),
            Err(Stop::Broken(why)) => {
                let unpacked = matches!(self.kind, Archive::Zip | Archive::Tar) && self.entries > 0;
                let opened = if unpacked { Opened::Whole } else { Opened::Broken };
                (format!("{why}; what could be unpacked is scanned"), opened)
            }
        };
        self.outer.iter().for_each(|path| self.feed.unread(path, &why));
        opened
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        let mut inner = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
        while let Some(error) = inner {
            match error.downcast_ref::<Exhausted>() {
                Some(Exhausted::File) => return Self::File,
                Some(Exhausted::Archive) => return Self::Archive(TOO_MUCH),
                None => {}
            }
            // Decoders wrap the errors of what they read from.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            inner = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
        }
        if kind == io::ErrorKind::OutOfMemory {
            return Self::Archive(TOO_WIDE);
        }
        Self::Broken(format!("the archive is damaged or ends too early ({kind})"))
    }
}
