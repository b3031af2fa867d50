//! gzip and zlib inside other encodings, as Helm stores releases; never more than is allowed.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

/// A text grows by at most this factor.
const FACTOR: usize = 100;

/// The two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compressed {
    Gzip,
    Zlib,
}

/// Which one begins like this.
pub(super) fn begins(head: &[u8]) -> Option<Compressed> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Compressed::Gzip),
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Compressed::Zlib),
        _ => None,
    }
}

/// Inflates up to `spare` bytes; what is longer is cut. `None` if it is broken.
pub(super) fn inflate(kind: Compressed, bytes: &[u8], spare: usize) -> Option<Vec<u8>> {
    let limit = spare.min(bytes.len().saturating_mul(FACTOR)) as u64;
    let mut text = Vec::new();
    let read = match kind {
        Compressed::Gzip => GzDecoder::new(bytes).take(limit).read_to_end(&mut text),
        Compressed::Zlib => ZlibDecoder::new(bytes).take(limit).read_to_end(&mut text),
    };
    read.ok().map(|_| text)
}
