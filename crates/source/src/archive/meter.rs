//! What an archive may cost.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::limits::Limits;

/// Below this many bytes no ratio is suspicious.
const FREE_BYTES: u64 = 64 << 20;

/// Text hardly ever shrinks more than this.
const MOST_RATIO: u64 = 100;

/// Why an archive is not read further.
#[derive(Debug)]
pub(super) enum Stop {
    /// Over a limit: left out by rule.
    Limit(&'static str),
    /// Damaged.
    Broken(String),
}

/// Travels through decoders inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Exhausted(pub(super) &'static str);

/// What is left for one outermost archive with everything inside it; clones share it.
#[derive(Clone)]
pub(super) struct Budget {
    size: u64,
    limit: u64,
    bytes: Rc<Cell<u64>>,
    entries: Rc<Cell<usize>>,
}

impl Budget {
    /// For an archive of `size` bytes.
    pub(super) fn new(limits: &Limits, size: u64) -> Self {
        let entries = Rc::new(Cell::new(limits.archive_entries));
        Self { size, limit: limits.archive_bytes, bytes: Rc::default(), entries }
    }

    /// Counts one entry.
    pub(super) fn entry(&self) -> Result<(), Stop> {
        let left = self.entries.get().checked_sub(1);
        self.entries.set(left.ok_or(Stop::Limit("an archive with too many entries; not read to its end"))?);
        Ok(())
    }

    fn spend(&self, bytes: usize) -> io::Result<()> {
        let total = self.bytes.get().saturating_add(bytes as u64);
        self.bytes.set(total);
        if total > self.limit {
            return Err(io::Error::other(Exhausted("an archive that unfolds to too much; not read to its end")));
        }
        if total > FREE_BYTES && total / MOST_RATIO > self.size {
            return Err(io::Error::other(Exhausted("an archive that unfolds as bombs do; not read to its end")));
        }
        Ok(())
    }
}

/// Counts what comes out of a decoder.
pub(super) struct Meter<'b, R> {
    pub(super) inner: R,
    pub(super) budget: &'b Budget,
}

impl<R: Read> Read for Meter<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.spend(read)?;
        Ok(read)
    }
}
