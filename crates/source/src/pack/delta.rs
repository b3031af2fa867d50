//! Deltas: copy from the base, insert what is new.

use scan::Copied;

use super::{Damage, LARGEST};

/// Makes the object, in `bytes` in place of what was there; appends to `copied`, if it is given, which of its bytes
/// were the base's.
pub(crate) fn apply(
    base: &[u8],
    delta: &[u8],
    bytes: &mut Vec<u8>,
    mut copied: Option<&mut Vec<Copied>>,
) -> Result<(), Damage> {
    let mut rest = delta;
    let base_size = number(&mut rest).ok_or(Damage::Broken)?;
    let size = number(&mut rest).ok_or(Damage::Broken)?;
    if base_size != base.len() as u64 {
        return Err(Damage::Broken);
    }
    if size > LARGEST {
        return Err(Damage::TooLarge);
    }
    let size = usize::try_from(size).map_err(|_| Damage::TooLarge)?;
    bytes.clear();
    bytes.reserve(size);
    while let Some((&op, after)) = rest.split_first() {
        rest = after;
        if op & 0x80 != 0 {
            let from = little(op, 4, &mut rest).ok_or(Damage::Broken)?;
            let length = match little(op >> 4, 3, &mut rest).ok_or(Damage::Broken)? {
                0 => 0x1_0000,
                length => length,
            };
            let part = base.get(from..from + length).ok_or(Damage::Broken)?;
            if let Some(copied) = copied.as_deref_mut() {
                note(copied, Copied { from, to: bytes.len(), len: length });
            }
            bytes.extend_from_slice(part);
        } else {
            let part = rest.split_at_checked(usize::from(op)).filter(|_| op != 0).ok_or(Damage::Broken)?;
            bytes.extend_from_slice(part.0);
            rest = part.1;
        }
        if bytes.len() > size {
            return Err(Damage::Broken);
        }
    }
    if bytes.len() == size { Ok(()) } else { Err(Damage::Broken) }
}

/// Joins a run to the one before, if it goes on where that ends.
fn note(copied: &mut Vec<Copied>, run: Copied) {
    match copied.last_mut() {
        Some(last) if last.to + last.len == run.to && last.from + last.len == run.from => last.len += run.len,
        _ => copied.push(run),
    }
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A number of up to `count` bytes, of which only those with their bit in `present` are there.
fn little(present: u8, count: u32, bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for index in 0..count {
        if present >> index & 1 != 0 {
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= usize::from(byte) << (8 * index);
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_inserts() {
        let base = b"hello brave world";
        // Copy 0..6, insert "new ", copy 12..17.
        let delta = [17, 15, 0x90, 6, 4, b'n', b'e', b'w', b' ', 0x91, 12, 5];
        let mut copied = Vec::new();
        let mut bytes = b"what was there before and is longer".to_vec();
        assert_eq!(apply(base, &delta, &mut bytes, Some(&mut copied)), Ok(()));
        assert_eq!(bytes, b"hello new world");
        assert_eq!(copied, [Copied { from: 0, to: 0, len: 6 }, Copied { from: 12, to: 10, len: 5 }]);
    }

    #[test]
    fn what_does_not_fit_is_damage() {
        let cases: [&[u8]; 8] = [
            &[],
            &[3],
            &[4, 1, 1, b'x'],
            &[3, 2, 1, b'x'],
            &[3, 1, 2, b'x'],
            &[3, 1, 0],
            &[3, 4, 0x90, 4],
            &[3, 1, 0x91, 9, 1],
        ];
        for delta in cases {
            assert_eq!(apply(b"abc", delta, &mut Vec::new(), None), Err(Damage::Broken), "{delta:?}");
        }
        let huge = [3, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(apply(b"abc", &huge, &mut Vec::new(), None), Err(Damage::TooLarge));
    }
}
