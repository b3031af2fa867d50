//! Strings in the shape of credentials, made when a test runs: none stands in the repository, so that no hosting
//! service takes our tests for a leak. All are random and were never valid.

use crate::random::Dice;

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8] = b"0123456789abcdef";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` letters of an alphabet.
fn letters(dice: &mut Dice, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(*dice.pick(alphabet))).collect()
}

/// A GitHub token whose checksum is right.
pub fn github(dice: &mut Dice) -> String {
    let body = letters(dice, ALNUM, 30);
    let sum = base62(crc32(body.as_bytes()));
    format!("{}{}{body}{sum}", "gh", "p_")
}

/// A GitHub token whose checksum is wrong: no GitHub ever gave it out.
pub fn github_wrong(dice: &mut Dice) -> String {
    let good = github(dice);
    let last = if good.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &good[..good.len() - 1])
}

/// A GitLab access token.
pub fn gitlab(dice: &mut Dice) -> String {
    format!("{}{}{}", "gl", "pat-", letters(dice, ALNUM, 20))
}

/// The id of an AWS access key.
pub fn aws_id(dice: &mut Dice) -> String {
    format!("{}{}{}", "AK", "IA", letters(dice, UPPER32, 16))
}

/// A Slack bot token.
pub fn slack(dice: &mut Dice) -> String {
    let digits = |dice: &mut Dice| letters(dice, b"0123456789", 12);
    let (one, other) = (digits(dice), digits(dice));
    format!("{}{}-{one}-{other}-{}", "xo", "xb", letters(dice, ALNUM, 24))
}

/// A Stripe key.
pub fn stripe(dice: &mut Dice) -> String {
    format!("{}{}{}", "sk_", "live_", letters(dice, ALNUM, 24))
}

/// Random hexadecimal digits.
pub fn hex(dice: &mut Dice, length: usize) -> String {
    letters(dice, HEX, length)
}

/// A private key in PEM, with lines of random base64.
pub fn private_key(dice: &mut Dice) -> String {
    let lines: Vec<String> = (0..6).map(|_| letters(dice, ALNUM, 64)).collect();
    let label = ["RSA", "PRIVATE", "KEY"].join(" ");
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// CRC-32 as zlib computes it.
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

/// Six digits, left-padded.
fn base62(mut number: u32) -> String {
    let mut digits = ['0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(BASE62[(number % 62) as usize]);
        number /= 62;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{base62, crc32};

    #[test]
    fn checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(62), "000010");
    }
}
