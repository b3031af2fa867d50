//! Field arithmetic, shares of our own and of SOPS.

use secret::SecretBytes;

use super::*;
use crate::{
    Access,
    fixtures::{self, Counter},
    parse_key_file,
};

fn duplicate(shares: &[SecretBytes], picked: &[usize]) -> Vec<SecretBytes> {
    picked.iter().map(|&i| shares[i].duplicate()).collect()
}

#[test]
fn multiplication_is_that_of_the_aes_field() {
    // FIPS 197, 4.2 and 4.2.1.
    for (a, b, product) in [(0x57, 0x83, 0xc1), (0x57, 0x13, 0xfe), (0x57, 0x02, 0xae), (0x57, 0x10, 0x07)] {
        assert_eq!((mul(a, b), mul(b, a)), (product, product));
    }
    for a in 1..=255 {
        assert_eq!(mul(a, invert(a)), 1, "{a}");
    }
}

#[test]
fn any_threshold_of_shares_gives_the_secret_back() {
    let mut random = Counter(7);
    for (threshold, count) in [(2, 2), (2, 3), (3, 5), (5, 5)] {
        let secret = SecretBytes::new((0..32).map(|i| i * 7).collect());
        let shares = split(&secret, threshold, count, &mut random).unwrap();
        assert_eq!(shares.len(), usize::from(count));
        for picked in 0_u32..1 << count {
            let picked: Vec<usize> = (0..usize::from(count)).filter(|i| picked >> i & 1 == 1).collect();
            let shares = duplicate(&shares, &picked);
            if picked.len() >= usize::from(threshold) {
                assert_eq!(combine(&shares).unwrap(), secret);
            } else if picked.len() >= 2 {
                assert_ne!(combine(&shares).unwrap(), secret);
            }
        }
    }
}

#[test]
fn the_largest_split_works() {
    let secret = SecretBytes::new(vec![0xa5; 32]);
    let shares = split(&secret, 255, 255, &mut Counter(1)).unwrap();
    assert_eq!(combine(&shares).unwrap(), secret);
    assert_ne!(combine(&shares[1..]).unwrap(), secret);
}

#[test]
fn a_share_ends_with_its_number_and_its_order_does_not_matter() {
    let secret = SecretBytes::new(vec![9; 32]);
    let shares = split(&secret, 2, 3, &mut Counter(3)).unwrap();
    for (share, x) in shares.iter().zip(1..) {
        assert_eq!((share.len(), share.expose()[32]), (33, x));
    }
    assert_eq!(combine(&duplicate(&shares, &[2, 0])).unwrap(), secret);
}

#[test]
fn impossible_thresholds_are_refused() {
    let secret = SecretBytes::new(vec![1; 32]);
    for (threshold, count) in [(0, 0), (0, 3), (1, 3), (4, 3), (2, 1)] {
        assert!(matches!(split(&secret, threshold, count, &mut Counter(0)), Err(KeyError::Shares(_))));
    }
    assert!(split(&SecretBytes::default(), 2, 2, &mut Counter(0)).is_err());
}

#[test]
fn unusable_shares_are_refused() {
    let make = |lists: &[&[u8]]| lists.iter().map(|list| SecretBytes::new(list.to_vec())).collect::<Vec<_>>();
    let cases: &[&[&[u8]]] = &[
        &[],
        &[&[1, 2, 1]],
        &[&[1, 2, 1], &[3, 4, 1]],
        &[&[1, 2, 1], &[3, 4, 0]],
        &[&[1, 2, 1], &[3, 2]],
        &[&[1], &[2]],
        &[&[], &[]],
    ];
    for case in cases {
        assert!(matches!(combine(&make(case)), Err(KeyError::Shares(_))), "{case:?}");
    }
}

/// Shares that sops wrote: whichever two groups meet, the key is the same.
#[test]
fn shares_of_sops_combine() {
    for file in ["y28", "y38", "j10"] {
        let shares = sops_shares(file);
        let mut keys = Vec::new();
        for (i, one) in shares.iter().enumerate() {
            for other in shares[..i].iter().filter(|other| other.expose()[32] != one.expose()[32]) {
                keys.push(combine(&[one.duplicate(), other.duplicate()]).unwrap());
            }
        }
        assert!(keys.len() >= 3, "{file}: {} pairs", keys.len());
        assert!(keys.iter().all(|key| key.len() == 32 && *key == keys[0]), "{file}");
    }
}

fn sops_shares(file: &str) -> Vec<SecretBytes> {
    let mut shares = Vec::new();
    for entry in fixtures::list("keys/shares").iter().filter(|name| name.starts_with(file)) {
        let owner = entry.trim_end_matches(".age").rsplit('-').next().unwrap();
        let keys = fixtures::read(&format!("keys/identities/{owner}.txt"));
        let identity = parse_key_file(&keys, owner, &Access::none()).unwrap().remove(0);
        let enc = String::from_utf8(fixtures::read(&format!("keys/shares/{entry}"))).unwrap();
        shares.push(identity.unwrap(&enc).unwrap().unwrap());
    }
    shares
}
