//! Decoded views of a text: every decodable segment replaced in place.
//!
//! One pass looks for every encoding of a list, each in a file of its own. Where two meet, the one that stands higher in
//! the list is decoded now, the lower in the next pass, when its text is whole. What does not decode to text is left.

mod base64;
pub(crate) mod blocks;
mod chunks;
mod entity;
mod escape;
mod hex;
mod inflate;
mod percent;
mod runs;
pub(crate) mod spare;
mod text;
mod unicode;
mod wrapped;

use std::ops::Range;

use spare::Spare;

/// A text with its decodable segments decoded.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The new text.
    pub(crate) text: Vec<u8>,
    /// What was decoded: ascending, not overlapping; bytes between segments are those of the text before.
    pub(crate) segments: Vec<Segment>,
    /// Whether anything was inflated: how much may be is counted over the whole text.
    pub(crate) inflated: bool,
}

/// One decoded piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its place in the text before.
    pub(crate) original: Range<usize>,
    /// Its place in the new text.
    pub(crate) decoded: Range<usize>,
    /// Name of the encoding.
    pub(crate) kind: &'static str,
}

/// A piece whose decoded bytes are known from a text scanned before.
#[derive(Clone, Debug)]
pub(crate) struct Known<'k> {
    /// Its place in the text.
    pub(crate) original: Range<usize>,
    /// What it decodes to.
    pub(crate) bytes: &'k [u8],
    /// Name of the encoding.
    pub(crate) kind: &'static str,
}

/// One way to write bytes as text.
struct Encoding {
    kind: &'static str,
    find: fn(&[u8], &mut Findings),
}

/// In order of precedence: what encodes single characters goes before what encodes whole texts.
const ENCODINGS: [Encoding; 6] = [
    Encoding { kind: "percent", find: percent::find },
    Encoding { kind: "unicode", find: unicode::find },
    Encoding { kind: "escape", find: escape::find },
    Encoding { kind: "html", find: entity::find },
    Encoding { kind: "hex", find: hex::find },
    Encoding { kind: "base64", find: base64::find },
];

/// Bytes that compressed texts of one pass may add together.
const INFLATED: usize = 8 << 20;

/// A place in the text, and where what it decodes to stands.
struct Found {
    original: Range<usize>,
    bytes: Range<usize>,
}

/// What one encoding found, in ascending order.
struct Findings {
    found: Vec<Found>,
    /// What was found decodes to, one after the other.
    bytes: Vec<u8>,
    /// How much may still be inflated.
    spare: usize,
}

impl Findings {
    fn push(&mut self, original: Range<usize>, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.found.push(Found { original, bytes: start..self.bytes.len() });
    }
}

/// Decodes what can be decoded in `zones` of a text, each of them [blocks], and puts in what is known of the rest; both
/// ascending. `None` if there is nothing. The new text is at most `INFLATED` bytes longer than what stands in it.
pub(crate) fn layer(previous: &[u8], zones: &[Range<usize>], known: &[Known<'_>], spare: &Spare) -> Option<Layer> {
    let mut findings = Findings { found: Vec::new(), bytes: Vec::new(), spare: INFLATED };
    let mut taken: Vec<(Found, &'static str)> = Vec::new();
    for encoding in &ENCODINGS {
        for zone in zones {
            let first = findings.found.len();
            (encoding.find)(&previous[zone.clone()], &mut findings);
            for found in &mut findings.found[first..] {
                found.original = found.original.start + zone.start..found.original.end + zone.start;
            }
        }
        if !findings.found.is_empty() {
            taken = merge(taken, std::mem::take(&mut findings.found), encoding.kind);
        }
    }
    let bytes = findings.bytes;
    let mut pieces: Vec<Known<'_>> = Vec::with_capacity(taken.len() + known.len());
    let mut known = known.iter().cloned().peekable();
    for (Found { original, bytes: range }, kind) in taken {
        while let Some(before) = known.next_if(|known| known.original.start < original.start) {
            pieces.push(before);
        }
        pieces.push(Known { original, bytes: &bytes[range], kind });
    }
    pieces.extend(known);
    let inflated = findings.spare < INFLATED;
    (!pieces.is_empty()).then(|| Layer { inflated, ..assemble(previous, &pieces, spare.lend(previous.len())) })
}

/// Adds what is found later unless it touches what was found before. Both are ascending, and so is the result.
fn merge(taken: Vec<(Found, &'static str)>, found: Vec<Found>, kind: &'static str) -> Vec<(Found, &'static str)> {
    let mut merged = Vec::with_capacity(taken.len() + found.len());
    let mut earlier = taken.into_iter().peekable();
    let mut last_end = None;
    for new in found {
        while let Some(before) = earlier.next_if(|(before, _)| before.original.start < new.original.start) {
            last_end = Some(before.0.original.end);
            merged.push(before);
        }
        let free_before = last_end.is_none_or(|end| end < new.original.start);
        let free_after = earlier.peek().is_none_or(|(next, _)| new.original.end < next.original.start);
        if free_before && free_after {
            merged.push((new, kind));
        }
    }
    merged.extend(earlier);
    merged
}

fn assemble(previous: &[u8], pieces: &[Known<'_>], mut text: Vec<u8>) -> Layer {
    let mut segments = Vec::with_capacity(pieces.len());
    let mut copied = 0;
    for Known { original, bytes, kind } in pieces {
        text.extend_from_slice(&previous[copied..original.start]);
        let start = text.len();
        text.extend_from_slice(bytes);
        copied = original.end;
        segments.push(Segment { original: original.clone(), decoded: start..text.len(), kind });
    }
    text.extend_from_slice(&previous[copied..]);
    Layer { text, segments, inflated: false }
}

#[cfg(test)]
mod tests;
