//! BIP 173 checksums, of age's identities.

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/// Whether lower-case Bech32 text carries the right checksum.
pub(crate) fn is_valid(text: &[u8]) -> bool {
    let Some(separator) = text.iter().rposition(|byte| *byte == b'1') else { return false };
    let (hrp, data) = (&text[..separator], &text[separator + 1..]);
    let groups: Option<Vec<u8>> =
        data.iter().map(|byte| LETTERS.iter().position(|letter| letter == byte).map(|at| at as u8)).collect();
    groups.is_some_and(|groups| groups.len() >= 6 && residue(hrp, &groups) == 1)
}

/// The six groups of five bits that close `groups`; `hrp` in lower case.
#[cfg(test)]
pub(crate) fn checksum(hrp: &[u8], groups: &[u8]) -> [u8; 6] {
    let sum = residue(hrp, &[groups, &[0; 6]].concat()) ^ 1;
    [5, 4, 3, 2, 1, 0].map(|place| (sum >> (5 * place) & 31) as u8)
}

fn residue(hrp: &[u8], groups: &[u8]) -> u32 {
    let high = hrp.iter().map(|byte| byte >> 5);
    let low = hrp.iter().map(|byte| byte & 31);
    high.chain([0]).chain(low).chain(groups.iter().copied()).fold(1, |sum, group| {
        let next = (sum & 0x1ff_ffff) << 5 ^ u32::from(group);
        (0..5).filter(|bit| sum >> 25 >> bit & 1 == 1).fold(next, |next, bit| next ^ GENERATOR[bit])
    })
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn knows_the_valid_strings_of_the_standard() {
        assert!(is_valid(b"a12uel5l"));
        assert!(is_valid(b"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"));
        assert!(!is_valid(b"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3q"));
    }
}
