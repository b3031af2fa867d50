//! UTF-16 contents as UTF-8: rules are written for bytes of text.

/// How two bytes make a unit.
type Order = fn([u8; 2]) -> u16;

/// The text in UTF-8 if the bytes start with a byte order mark of UTF-16 or look like ASCII in UTF-16.
pub(crate) fn as_utf8(bytes: &[u8]) -> Option<Vec<u8>> {
    let (order, rest): (Order, &[u8]) = match bytes {
        [0xFF, 0xFE, 0, 0, ..] => return None,
        [0xFF, 0xFE, rest @ ..] => (u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => (u16::from_be_bytes, rest),
        _ if zeros(bytes, 1) => (u16::from_le_bytes, bytes),
        _ if zeros(bytes, 0) => (u16::from_be_bytes, bytes),
        _ => return None,
    };
    let (pairs, _) = rest.as_chunks::<2>();
    let units = pairs.iter().map(|pair| order(*pair));
    let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some(text.into_bytes())
}

/// Whether nearly every second byte of the beginning, from `first`, is zero and hardly any other is.
fn zeros(bytes: &[u8], first: usize) -> bool {
    const SAMPLE: usize = 512;
    let (pairs, _) = bytes[..bytes.len().min(SAMPLE)].as_chunks::<2>();
    if pairs.len() < 4 {
        return false;
    }
    let high = pairs.iter().filter(|pair| pair[first] == 0).count();
    let low = pairs.iter().filter(|pair| pair[1 - first] == 0).count();
    high * 10 >= pairs.len() * 8 && low * 20 <= pairs.len()
}

#[cfg(test)]
mod tests {
    use super::as_utf8;

    fn encode(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn byte_order_marks_and_bare_texts_are_known() {
        let text = "name = \"välue\"\r\nnext";
        let little = encode(text, u16::to_le_bytes);
        let big = encode(text, u16::to_be_bytes);
        assert_eq!(as_utf8(&little).unwrap(), text.as_bytes());
        assert_eq!(as_utf8(&big).unwrap(), text.as_bytes());
        assert_eq!(as_utf8(&[&[0xFF, 0xFE], &little[..]].concat()).unwrap(), text.as_bytes());
        assert_eq!(as_utf8(&[&[0xFE, 0xFF], &big[..], &[7]].concat()).unwrap(), text.as_bytes());
    }

    #[test]
    fn other_bytes_are_left_alone() {
        for bytes in [&b"plain text of some length"[..], b"", b"\0\0\0\0\0\0\0\0\0\0", b"a\0b", b"\xFF\xFE\0\0a\0\0\0"]
        {
            assert_eq!(as_utf8(bytes), None);
        }
    }
}
