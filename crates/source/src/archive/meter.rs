//! What an archive may cost: bytes that are unfolded, bytes that are scanned, files.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::limits::Limits;

/// So many times the bytes that are scanned of an archive may be unfolded: what is passed over has to be unfolded as well.
const UNFOLDED: u64 = 4;

/// What a decoder is asked for at once. What it had unpacked in a call that meets damage is lost.
const STEP_BYTES: usize = 1024;

/// Why an archive, or a file of it, is not read further.
#[derive(Debug)]
pub(super) enum Stop {
    /// One file takes more than its share; what follows can be read.
    File,
    /// All of it is over a limit.
    Archive(&'static str),
    /// Damaged.
    Broken(String),
}

/// Travels through decoders inside an [`io::Error`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("over a limit")]
pub(super) enum Exhausted {
    File,
    Archive,
}

/// What is left for one outermost archive with everything inside it; clones share it.
#[derive(Clone)]
pub(super) struct Budget {
    most_unfolded: u64,
    unfolded: Rc<Cell<u64>>,
    scanned: Rc<Cell<u64>>,
    /// What `scanned` may come to by the end of the current file.
    share: Rc<Cell<u64>>,
    entries: Rc<Cell<usize>>,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            most_unfolded: limits.archive_bytes.saturating_mul(UNFOLDED),
            unfolded: Rc::default(),
            scanned: Rc::default(),
            share: Rc::new(Cell::new(limits.archive_bytes)),
            entries: Rc::new(Cell::new(limits.archive_entries)),
        }
    }

    /// Counts one entry.
    pub(super) fn entry(&self) -> Result<(), Stop> {
        let left = self.entries.get().checked_sub(1);
        self.entries.set(left.ok_or(Stop::Archive("an archive with too many entries; not read to its end"))?);
        Ok(())
    }

    /// Leaves one file half of what there is, so that something is left for those that follow it; the answer is for
    /// [`Budget::widen`].
    pub(super) fn narrow(&self) -> u64 {
        let (scanned, share) = (self.scanned.get(), self.share.get());
        self.share.set(scanned + share.saturating_sub(scanned) / 2);
        share
    }

    /// The file is over.
    pub(super) fn widen(&self, share: u64) {
        self.share.set(share);
    }

    fn unfold(&self, bytes: usize) -> io::Result<()> {
        let total = self.unfolded.get().saturating_add(bytes as u64);
        self.unfolded.set(total);
        if total > self.most_unfolded { Err(io::Error::other(Exhausted::Archive)) } else { Ok(()) }
    }

    /// How many of `bytes` may still be scanned.
    fn scan(&self, bytes: usize) -> io::Result<usize> {
        let left = self.share.get().saturating_sub(self.scanned.get());
        if left == 0 && bytes > 0 {
            return Err(io::Error::other(Exhausted::File));
        }
        let granted = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        self.scanned.set(self.scanned.get() + granted as u64);
        Ok(granted)
    }
}

/// Counts what comes out of a decoder, which is not asked again after its end or a failure.
pub(super) struct Unfolding<R> {
    inner: R,
    budget: Budget,
    done: bool,
}

impl<R> Unfolding<R> {
    pub(super) fn new(inner: R, budget: &Budget) -> Self {
        Self { inner, budget: budget.clone(), done: false }
    }
}

impl<R: Read> Read for Unfolding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.done || buffer.is_empty() {
            return Ok(0);
        }
        let step = buffer.len().min(STEP_BYTES);
        let outcome = self.inner.read(&mut buffer[..step]).and_then(|read| self.budget.unfold(read).map(|()| read));
        self.done = !outcome.as_ref().is_ok_and(|read| *read > 0);
        outcome
    }
}

/// Counts what is handed to the scanner.
pub(super) struct Scanning<'r> {
    inner: &'r mut dyn Read,
    budget: Budget,
    /// The last read gave more than was granted.
    over: bool,
}

impl<'r> Scanning<'r> {
    pub(super) fn new(inner: &'r mut dyn Read, budget: &Budget) -> Self {
        Self { inner, budget: budget.clone(), over: false }
    }
}

impl Read for Scanning<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.over {
            return Err(io::Error::other(Exhausted::File));
        }
        let read = self.inner.read(buffer)?;
        let granted = self.budget.scan(read)?;
        self.over = granted < read;
        Ok(granted)
    }
}
