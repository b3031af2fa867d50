//! Decoders of single compressed files. All are pure Rust, and none takes more memory than a fixed bound whatever the
//! file asks for.

use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::sniff::Archive;

use super::meter::Stop;

/// Windows above this size are refused: 64 MiB is the largest that the usual compressors make by themselves.
const WINDOW_BYTES: u64 = 66 << 20;

/// The decoder for `kind`.
pub(super) fn decoder<'r>(kind: Archive, reader: &'r mut dyn Read) -> Result<Box<dyn Read + 'r>, Stop> {
    Ok(match kind {
        Archive::Gzip => Box::new(Gzip(Some(GzDecoder::new(BufReader::new(reader))))),
        Archive::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        Archive::Xz => {
            let kilobytes = u32::try_from(WINDOW_BYTES >> 10).expect("a small constant");
            Box::new(lzma_rust2::XzReader::new_mem_limit(reader, true, kilobytes))
        }
        Archive::Lz4 => {
            Box::new(lz4_flex::frame::FrameDecoder::new(Lz4 { inner: reader, begun: false, marks: [false; 2] }))
        }
        Archive::Zstd => Box::new(Zstd::Between(Peek { reader, next: None })),
        Archive::Zip | Archive::Tar => unreachable!("bundles are opened by name"),
    })
}

/// Gzip members, one after the other. Zeros behind the last are padding, as `dd` and tapes make it.
struct Gzip<'r>(Option<GzDecoder<BufReader<&'r mut dyn Read>>>);

impl Read for Gzip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(mut source) = self.0.take().map(GzDecoder::into_inner) else { break };
            self.0 = (!is_padding(&mut source)?).then(|| GzDecoder::new(source));
        }
        Ok(0)
    }
}

/// Passes over zeros; whether nothing else follows.
fn is_padding(source: &mut BufReader<&mut dyn Read>) -> io::Result<bool> {
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(true);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let more = zeros < bytes.len();
        source.consume(zeros);
        if more {
            return Ok(false);
        }
    }
}

/// The decoder takes an end where the length of a block should stand for the end of the frame. It asks for such
/// lengths, for the mark behind the last block (zeros), for checksums and for a next frame's first bytes by fours.
struct Lz4<'r> {
    inner: &'r mut dyn Read,
    begun: bool,
    /// Whether the last two answers were such a mark.
    marks: [bool; 2],
}

impl Read for Lz4<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() != 4 {
            self.marks = [false; 2];
            return self.inner.read(buffer);
        }
        let mut read = 0;
        while read < 4 {
            match self.inner.read(&mut buffer[read..])? {
                0 => break,
                more => read += more,
            }
        }
        if read == 0 && self.begun && self.marks == [false; 2] {
            return Err(io::Error::other("a frame without an end"));
        }
        self.begun = true;
        self.marks = [self.marks[1], buffer == [0; 4]];
        Ok(read)
    }
}

/// A reader whose next byte can be looked at.
struct Peek<'r> {
    reader: &'r mut dyn Read,
    next: Option<u8>,
}

impl Peek<'_> {
    fn at_end(&mut self) -> io::Result<bool> {
        let mut byte = [0];
        if self.next.is_none() && self.reader.read(&mut byte)? == 1 {
            self.next = Some(byte[0]);
        }
        Ok(self.next.is_none())
    }
}

impl Read for Peek<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.next, buffer.first_mut()) {
            (Some(byte), Some(first)) => {
                *first = byte;
                self.next = None;
                Ok(1)
            }
            _ => self.reader.read(buffer),
        }
    }
}

/// One frame, begun.
struct Frame<'r> {
    decoder: FrameDecoder,
    source: Peek<'r>,
    /// What ended it, to be told behind what was decoded.
    failure: Option<io::Error>,
}

/// A last block without contents, and room for a checksum (RFC 8878, 3.1.1).
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl Read for Frame<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let step = || BlockDecodingStrategy::UptoBlocks(1);
            if let Err(error) = self.decoder.decode_blocks(&mut self.source, step()) {
                self.failure = Some(io::Error::other(error));
                // The decoder holds back what later blocks may refer to, until there are none.
                self.decoder.decode_blocks(LAST_BLOCK.as_slice(), step()).map_err(io::Error::other)?;
            }
        }
        let read = self.decoder.read(buffer)?;
        match self.failure.take_if(|_| read == 0) {
            Some(failure) => Err(failure),
            None => Ok(read),
        }
    }
}

/// zstd frames, one after the other.
enum Zstd<'r> {
    Between(Peek<'r>),
    Inside(Box<Frame<'r>>),
    Done,
}

impl<'r> Zstd<'r> {
    fn begin(mut source: Peek<'r>) -> io::Result<Self> {
        while !source.at_end()? {
            let mut decoder = FrameDecoder::new();
            decoder.set_max_window_size(WINDOW_BYTES);
            match decoder.init(&mut source) {
                Ok(()) => return Ok(Self::Inside(Box::new(Frame { decoder, source, failure: None }))),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut source).take(length.into()), &mut io::sink())?;
                }
                // As the decoder of xz says it.
                Err(error @ FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::Error::new(io::ErrorKind::OutOfMemory, error));
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(Self::Done)
    }
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            *self = match std::mem::replace(self, Self::Done) {
                Self::Done => return Ok(0),
                Self::Between(source) => Self::begin(source)?,
                Self::Inside(mut frame) => {
                    let read = frame.read(buffer)?;
                    if read > 0 {
                        *self = Self::Inside(frame);
                        return Ok(read);
                    }
                    Self::Between(frame.source)
                }
            };
        }
    }
}
