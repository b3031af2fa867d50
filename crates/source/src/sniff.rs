//! What kind of bytes these are, by their first ones. Names are never asked: they can lie.

/// How many first bytes decide.
pub(crate) const HEAD: usize = 8192;

/// What to do with a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Scan it.
    Plain,
    /// Pictures, sound, fonts and the like: compressed, there is no text to find. Left out without a word.
    Media,
    /// Look inside.
    Archive(Archive),
    /// An archive of a kind that is not opened.
    Closed,
}

/// Archives and compressed files that are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Archive {
    Zip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
}

const ARCHIVES: [(&[u8], Archive); 7] = [
    (b"PK\x03\x04", Archive::Zip),
    (b"PK\x05\x06", Archive::Zip),
    (b"\x1f\x8b\x08", Archive::Gzip),
    (b"BZh", Archive::Bzip2),
    (b"\xfd7zXZ\0", Archive::Xz),
    (b"\x28\xb5\x2f\xfd", Archive::Zstd),
    (b"\x04\x22\x4d\x18", Archive::Lz4),
];

const CLOSED: [&[u8]; 2] = [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"];

/// Offset, magic.
const MEDIA: [(usize, &[u8]); 19] = [
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"\xff\xd8\xff"),
    (0, b"GIF87a"),
    (0, b"GIF89a"),
    (8, b"WEBP"),
    (8, b"AVI "),
    (8, b"WAVE"),
    (4, b"ftyp"),
    (0, b"\x1a\x45\xdf\xa3"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"ID3"),
    (0, b"wOFF"),
    (0, b"wOF2"),
    (0, b"OTTO\0"),
    (0, b"\0\x01\0\0\0"),
    (0, b"\0\0\x01\0"),
    (0, b"%PDF-"),
    (0, b"II*\0"),
];

/// Judges by the first bytes (up to [`HEAD`] of them).
pub(crate) fn kind(head: &[u8]) -> Kind {
    let head = &head[..head.len().min(HEAD)];
    if let Some((_, archive)) = ARCHIVES.iter().find(|(magic, _)| head.starts_with(magic)) {
        let really = *archive != Archive::Bzip2 || is_bzip2(head);
        return if really { Kind::Archive(*archive) } else { Kind::Plain };
    }
    if head.get(257..262) == Some(b"ustar") {
        return Kind::Archive(Archive::Tar);
    }
    if CLOSED.iter().any(|magic| head.starts_with(magic)) {
        return Kind::Closed;
    }
    let media = MEDIA.iter().any(|(at, magic)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    // A text that only begins like a picture is still text.
    if media && memchr::memchr(0, head).is_some() { Kind::Media } else { Kind::Plain }
}

fn is_bzip2(head: &[u8]) -> bool {
    let block = head.get(4..10);
    head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level))
        && (block == Some(b"1AY&SY") || block == Some(b"\x17\x72\x45\x38\x50\x90"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_numbers_decide_and_text_that_imitates_them_stays_text() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: [(&[u8], Kind); 9] = [
            (b"", Kind::Plain),
            (b"hello", Kind::Plain),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Kind::Media),
            (b"GIF89a but only text", Kind::Plain),
            (b"%PDF-1.4\nkey = x", Kind::Plain),
            (b"BZhello", Kind::Plain),
            (b"BZh91AY&SYxx", Kind::Archive(Archive::Bzip2)),
            (b"PK\x03\x04", Kind::Archive(Archive::Zip)),
            (&tar, Kind::Archive(Archive::Tar)),
        ];
        for (head, want) in cases {
            assert_eq!(kind(head), want, "{head:?}");
        }
    }
}
