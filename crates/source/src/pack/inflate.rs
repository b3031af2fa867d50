//! zlib streams of known size.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::Damage;

/// One thread's decompressor, used again and again.
pub(crate) struct Inflater {
    stream: Inflate,
    /// Grows to the largest delta met and is never cleared.
    delta: Vec<u8>,
}

impl Inflater {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        Self { stream: Inflate::new(true, 15), delta: Vec::new() }
    }

    /// Inflates to exactly `size` bytes in `bytes`, whatever was there before.
    pub(crate) fn object(&mut self, compressed: &[u8], size: usize, bytes: &mut Vec<u8>) -> Result<(), Damage> {
        // One byte more than should come, so that too much is seen.
        bytes.resize(size + 1, 0);
        run(&mut self.stream, compressed, size, bytes)?;
        bytes.truncate(size);
        Ok(())
    }

    /// Inflates to exactly `size` bytes that are only needed for a moment.
    pub(crate) fn delta(&mut self, compressed: &[u8], size: usize) -> Result<&[u8], Damage> {
        if self.delta.len() <= size {
            self.delta.resize(size + 1, 0);
        }
        run(&mut self.stream, compressed, size, &mut self.delta[..=size])?;
        Ok(&self.delta[..size])
    }
}

fn run(stream: &mut Inflate, compressed: &[u8], size: usize, bytes: &mut [u8]) -> Result<(), Damage> {
    stream.reset(true);
    match stream.decompress(compressed, bytes, InflateFlush::Finish) {
        Ok(Status::StreamEnd) if stream.total_out() == size as u64 => Ok(()),
        _ => Err(Damage::Broken),
    }
}
