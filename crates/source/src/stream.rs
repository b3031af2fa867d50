//! Standard input, or any other stream without a name.

use std::io::Read;
use std::sync::Mutex;

use bstr::BString;
use scan::{Lines, Origin, Place, Unread, Visitor};

use crate::feed::{self, Feed};
use crate::{Limits, Source, SourceError};

/// A stream: read once, in pieces of bounded size; archives in it are not opened, a stream is text.
pub struct Stdin {
    reader: Mutex<Box<dyn Read + Send>>,
    limits: Limits,
}

impl Stdin {
    /// Reads from `reader`, which should not be buffered: large blocks are asked for.
    pub fn new(reader: Box<dyn Read + Send>, limits: Limits) -> Self {
        Self { reader: Mutex::new(reader), limits }
    }
}

impl std::fmt::Debug for Stdin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stdin")
    }
}

impl Source for Stdin {
    fn each<'s>(&self, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Result<(), SourceError> {
        let mut visitor = new_visitor();
        let origin = Origin { place: Place::Stream, ..Origin::default() };
        let mut reader = self.reader.lock().expect("only one scan reads the stream");
        let mut feed = Feed { limits: &self.limits, visitor: &mut *visitor };
        let paths = [BString::default()];
        let outcome =
            feed.stream(&mut **reader, &paths, &mut |visitor, part| feed::place(visitor, &part, &origin, Lines::All));
        if let Err(error) = outcome {
            visitor.unread(Unread { what: "standard input".into(), why: error.kind().to_string() });
        }
        Ok(())
    }
}
