//! Base58 with a four-byte checksum, as Bitcoin keys are written.

use sha2::{Digest as _, Sha256};

const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The bytes in front of a checksum that fits; `None` for other text or more than 64 characters.
pub(crate) fn decode_checked(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > 64 {
        return None;
    }
    let mut bytes: Vec<u8> = Vec::new();
    for byte in text {
        let mut carry = LETTERS.iter().position(|letter| letter == byte)?;
        for place in bytes.iter_mut() {
            carry += usize::from(*place) * 58;
            *place = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(carry as u8);
        }
    }
    bytes.extend(text.iter().take_while(|byte| **byte == b'1').map(|_| 0));
    bytes.reverse();
    let body = bytes.len().checked_sub(4)?;
    let sum = Sha256::digest(Sha256::digest(&bytes[..body]));
    (sum[..4] == bytes[body..]).then(|| bytes[..body].to_vec())
}

/// Base58 of bytes that do not begin with zero.
#[cfg(test)]
pub(crate) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes {
        let mut carry = usize::from(*byte);
        for digit in digits.iter_mut() {
            carry += usize::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    digits.iter().rev().map(|digit| LETTERS[usize::from(*digit)]).collect()
}
