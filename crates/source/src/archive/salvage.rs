//! Zip archives whose directory is missing or damaged: each file is named before its contents too, and found by that.

use std::io::{self, BufRead, BufReader, Read};

use bstr::BString;

use super::bundle::{Counted, clean};
use super::meter::Unfolding;
use super::{Opener, Stop};

const SIGNATURE: u32 = 0x0403_4b50;

/// What stands before a file (APPNOTE 4.3.7), as far as it is needed.
struct Header {
    name: BString,
    encrypted: bool,
    method: u16,
    /// Bytes that follow; `None` if that is said only behind them.
    size: Option<u64>,
}

/// Every file that can be found, from where `reader` stands; the answer is how many.
pub(super) fn zip(opener: &mut Opener<'_, '_, '_>, reader: &mut dyn Read, depth: usize) -> Result<usize, Stop> {
    let mut source = BufReader::with_capacity(64 << 10, reader);
    let mut found = 0;
    while next(&mut source)? {
        let Some(header) = Header::read(&mut source)? else { continue };
        opener.budget.entry()?;
        found += 1;
        if !header.name.ends_with(b"/") {
            opener.inside(&clean(&header.name), |opener| file(opener, &header, &mut source, depth))?;
        }
    }
    Ok(found)
}

/// Goes behind the next signature.
fn next(source: &mut impl BufRead) -> io::Result<bool> {
    let mut last = 0u32;
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let at = bytes.iter().position(|byte| {
            last = last >> 8 | u32::from(*byte) << 24;
            last == SIGNATURE
        });
        let passed = at.map_or(bytes.len(), |at| at + 1);
        source.consume(passed);
        if at.is_some() {
            return Ok(true);
        }
    }
}

impl Header {
    /// `None` if it is none, or not whole.
    fn read(source: &mut impl Read) -> io::Result<Option<Self>> {
        let mut fixed = Vec::new();
        source.take(26).read_to_end(&mut fixed)?;
        let Some(numbers) = fixed.as_chunks::<2>().0.get(..13) else { return Ok(None) };
        let number = |index: usize| u16::from_le_bytes(numbers[index]);
        let (flags, method, lengths) = (number(1), number(2), (number(11), number(12)));
        let mut name = Vec::new();
        source.take(lengths.0.into()).read_to_end(&mut name)?;
        io::copy(&mut source.take(lengths.1.into()), &mut io::sink())?;
        let size = u32::from(number(7)) | u32::from(number(8)) << 16;
        let unknown = size == u32::MAX || flags & 8 != 0 && size == 0;
        let encrypted = flags & 1 != 0;
        let size = (!unknown).then_some(size.into());
        Ok((!name.is_empty()).then(|| Self { name: name.into(), encrypted, method, size }))
    }
}

fn file(opener: &mut Opener<'_, '_, '_>, header: &Header, source: &mut impl BufRead, depth: usize) -> Result<(), Stop> {
    let mut bytes = source.take(header.size.unwrap_or(u64::MAX));
    let outcome = match header {
        Header { encrypted: true, .. } => opener.skip("an encrypted file of an archive"),
        Header { method: 0, size: Some(size), .. } => stored(opener, &mut bytes, *size, depth),
        Header { method: 8, .. } => {
            let decoder = flate2::bufread::DeflateDecoder::new(&mut bytes);
            opener.file(&mut Unfolding::new(decoder, &opener.budget.clone()), depth)
        }
        Header { method: 0, .. } => Err(Stop::Broken("of unknown size, in a damaged archive".to_owned())),
        _ => Err(Stop::Broken("compressed in a way that is not supported".to_owned())),
    };
    // Where a file is damaged its size may be as well.
    if header.size.is_some() && !matches!(outcome, Err(Stop::Broken(_))) {
        io::copy(&mut bytes, &mut io::sink())?;
    }
    opener.settle(outcome)
}

fn stored(opener: &mut Opener<'_, '_, '_>, bytes: &mut dyn Read, size: u64, depth: usize) -> Result<(), Stop> {
    let mut counted = Counted { inner: bytes, bytes: 0 };
    opener.file(&mut counted, depth)?;
    io::copy(&mut counted, &mut io::sink())?;
    if counted.bytes < size { Err(Stop::Broken("the archive ends too early".to_owned())) } else { Ok(()) }
}
