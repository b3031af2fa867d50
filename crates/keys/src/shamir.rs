//! Shamir's secret sharing as SOPS uses it: over the AES field, one random polynomial per byte, a share is the
//! y bytes followed by the x byte. Multiplication is constant-time and has no tables.

use secret::{Random, SecretBytes};
use zeroize::Zeroizing;

use crate::KeyError;

/// Splits `secret` into `count` shares of which any `threshold` give it back. Share number i has x = i, from 1.
///
/// # Errors
/// When not 2 ≤ threshold ≤ count, or when the secret is empty.
pub fn split(
    secret: &SecretBytes,
    threshold: u8,
    count: u8,
    random: &mut dyn Random,
) -> Result<Vec<SecretBytes>, KeyError> {
    if threshold < 2 {
        return Err(KeyError::Shares("the threshold must be at least 2"));
    }
    if threshold > count {
        return Err(KeyError::Shares("the threshold is higher than the number of groups"));
    }
    if secret.is_empty() {
        return Err(KeyError::Shares("nothing to share"));
    }
    let degree = usize::from(threshold) - 1;
    let mut coefficients = Zeroizing::new(vec![0; degree * secret.len()]);
    random.fill(&mut coefficients);
    Ok((1..=count).map(|x| share(secret.expose(), &coefficients, degree, x)).collect())
}

/// The secret behind `shares`.
///
/// # Errors
/// When there are fewer than two, when their lengths differ, or when two have the same number.
pub fn combine(shares: &[SecretBytes]) -> Result<SecretBytes, KeyError> {
    let len = shares.first().map_or(0, SecretBytes::len);
    if shares.len() < 2 {
        return Err(KeyError::Shares("at least two shares are needed"));
    }
    if len < 2 || shares.iter().any(|share| share.len() != len) {
        return Err(KeyError::Shares("shares of different or wrong length"));
    }
    let numbers: Vec<u8> = shares.iter().map(|share| share.expose()[len - 1]).collect();
    check_numbers(&numbers)?;
    let mut secret = Zeroizing::new(vec![0; len - 1]);
    for (share, weight) in shares.iter().zip(weights(&numbers)) {
        for (sum, &y) in secret.iter_mut().zip(share.expose()) {
            *sum ^= mul(y, weight);
        }
    }
    Ok(SecretBytes::new(std::mem::take(&mut *secret)))
}

/// One share: each byte's polynomial at `x` by Horner's rule, then `x` itself.
fn share(secret: &[u8], coefficients: &[u8], degree: usize, x: u8) -> SecretBytes {
    let mut share = Vec::with_capacity(secret.len() + 1);
    share.extend(secret.iter().zip(coefficients.chunks_exact(degree)).map(|(&constant, higher)| {
        let value = higher.iter().rev().fold(0, |sum, &coefficient| mul(sum ^ coefficient, x));
        value ^ constant
    }));
    share.push(x);
    SecretBytes::new(share)
}

fn check_numbers(numbers: &[u8]) -> Result<(), KeyError> {
    let mut seen = [false; 256];
    for &x in numbers {
        if x == 0 {
            return Err(KeyError::Shares("a share has number 0"));
        }
        if std::mem::replace(&mut seen[usize::from(x)], true) {
            return Err(KeyError::Shares("two shares have the same number"));
        }
    }
    Ok(())
}

/// Lagrange weights at zero: for share i the product of xj / (xj − xi) over all others.
fn weights(numbers: &[u8]) -> Vec<u8> {
    let weight = |xi: &u8| {
        let others = numbers.iter().filter(|xj| *xj != xi);
        let (top, bottom) = others.fold((1, 1), |(top, bottom), xj| (mul(top, *xj), mul(bottom, xj ^ xi)));
        mul(top, invert(bottom))
    };
    numbers.iter().map(weight).collect()
}

/// Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
fn mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        let carry = (a >> 7).wrapping_neg();
        a = (a << 1) ^ (carry & 0x1b);
        b >>= 1;
    }
    product
}

/// The inverse: a^254.
fn invert(a: u8) -> u8 {
    let mut power = a;
    let mut product = 1;
    for _ in 1..8 {
        power = mul(power, power);
        product = mul(product, power);
    }
    product
}

#[cfg(test)]
mod tests;
