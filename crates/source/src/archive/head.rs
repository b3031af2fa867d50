//! A reader whose first bytes are looked at before it is read; a failure among them comes where it belongs, behind what
//! could be read.

use std::io::{self, Read};

use crate::sniff;

/// A reader, begun.
pub(super) struct Head<'r> {
    /// What was read of it.
    pub(super) bytes: Vec<u8>,
    /// How much of `bytes` was given.
    pub(super) at: usize,
    /// What ended the reading.
    pub(super) failure: Option<io::Error>,
    /// What was not read.
    pub(super) rest: &'r mut dyn Read,
}

impl<'r> Head<'r> {
    pub(super) fn new(reader: &'r mut dyn Read) -> Self {
        let mut bytes = Vec::new();
        let failure = (&mut *reader).take(sniff::HEAD as u64).read_to_end(&mut bytes).err();
        Self { bytes, at: 0, failure, rest: reader }
    }

    /// The first bytes.
    pub(super) fn first(&self) -> &[u8] {
        &self.bytes
    }
}

impl Read for Head<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.bytes.len() {
            let read = (&self.bytes[self.at..]).read(buffer)?;
            self.at += read;
            return Ok(read);
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.rest.read(buffer),
        }
    }
}
