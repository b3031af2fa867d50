//! zlib streams of known size.

use zlib_rs::{Inflate, InflateFlush, Status};

use super::Damage;

/// One thread's decompressor, used again and again.
pub(crate) struct Inflater(Inflate);

impl Inflater {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        Self(Inflate::new(true, 15))
    }

    /// Inflates to exactly `size` bytes.
    pub(crate) fn run(&mut self, compressed: &[u8], size: usize) -> Result<Vec<u8>, Damage> {
        // One byte more than should come, so that too much is seen.
        let mut bytes = vec![0; size + 1];
        self.0.reset(true);
        match self.0.decompress(compressed, &mut bytes, InflateFlush::Finish) {
            Ok(Status::StreamEnd) if self.0.total_out() == size as u64 => {
                bytes.truncate(size);
                Ok(bytes)
            }
            _ => Err(Damage::Broken),
        }
    }
}
