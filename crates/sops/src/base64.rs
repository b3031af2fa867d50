//! Base64 as SOPS writes it (RFC 4648 section 4, padded), with the widest instructions that the processor has.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::PAD;

#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
type Standard = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
type Standard = base64::engine::GeneralPurpose;

static STANDARD: LazyLock<Standard> = LazyLock::new(engine);

#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon")))]
fn engine() -> Standard {
    Standard::standard(PAD)
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))))]
fn engine() -> Standard {
    Standard::new(&base64::alphabet::STANDARD, PAD)
}

/// How many characters `bytes` bytes become.
pub(crate) fn length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Appends `bytes` as base64 to `text`.
pub(crate) fn append(bytes: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    text.resize(start + length(bytes.len()), 0);
    STANDARD.encode_slice(bytes, &mut text[start..]).expect("four characters for three bytes");
}

/// `bytes` as base64.
pub(crate) fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes that `text` stands for; none if it is not exactly what [`append`] writes for some bytes.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The same at the front of `out`: how many there are. None, too, if they do not fit.
pub(crate) fn decode_into(text: &[u8], out: &mut [u8]) -> Option<usize> {
    STANDARD.decode_slice(text, out).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD as SCALAR;
    use proptest::prelude::*;

    use super::*;

    fn appended(bytes: &[u8]) -> Vec<u8> {
        let mut text = b"data:".to_vec();
        append(bytes, &mut text);
        text.split_off(5)
    }

    proptest! {
        #[test]
        fn wide_instructions_write_and_read_what_the_scalar_engine_does(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let text = appended(&bytes);
            prop_assert_eq!(text.clone(), SCALAR.encode(&bytes).into_bytes());
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn damaged_text_is_refused_where_the_scalar_engine_refuses_it(
            bytes in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), by in any::<u8>()
        ) {
            let mut text = appended(&bytes);
            let at = at.index(text.len());
            text[at] = by;
            prop_assert_eq!(decode(&text), SCALAR.decode(&text).ok());
            let mut room = vec![0; bytes.len() + 3];
            prop_assert_eq!(decode_into(&text, &mut room), SCALAR.decode(&text).ok().map(|bytes| bytes.len()));
        }
    }
}
