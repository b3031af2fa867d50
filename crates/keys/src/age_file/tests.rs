//! The header reader on good and broken headers.

use std::collections::HashSet;

use super::*;
use crate::{
    Access, WrappedKey,
    fixtures::{Counter, K1},
    generate_x25519, kind, parse_identity, parse_recipient,
};

/// The bytes of an entry for the key `K1`, and that key.
fn sample() -> (Vec<u8>, Box<dyn age::Identity>) {
    let recipient = parse_identity(K1, &Access::none()).unwrap().recipient().unwrap();
    let enc = parse_recipient(&recipient).unwrap().wrap(&SecretBytes::new(vec![1; 32])).unwrap();
    (armor::decode(enc.as_bytes()).unwrap(), kind::age_identity(K1))
}

fn open(bytes: Vec<u8>, key: &dyn age::Identity) -> Option<Result<SecretBytes, KeyError>> {
    match AgeFile::parse(bytes, &Limits::ENC) {
        Ok(file) => file.open(key, 33),
        Err(error) => Some(Err(error)),
    }
}

#[test]
fn no_changed_bit_and_no_cut_goes_unnoticed() {
    let (bytes, key) = sample();
    assert!(matches!(open(bytes.clone(), key.as_ref()), Some(Ok(_))));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!matches!(open(changed, key.as_ref()), Some(Ok(_))), "bit {} of byte {at}", at % 8);
        assert!(!matches!(open(bytes[..at].to_vec(), key.as_ref()), Some(Ok(_))), "cut at {at}");
    }
    assert!(!matches!(open([bytes, vec![0]].concat(), key.as_ref()), Some(Ok(_))));
}

#[test]
fn any_text_is_answered() {
    let mut random = Counter(9);
    let pieces: [&[u8]; 12] = [
        b"age-encryption.org/v1\n",
        b"-> X25519 a\n",
        b"-> ",
        b"\n",
        b"--- ",
        b"A",
        b"AAAAAAAAAAAAAAAA",
        b"\r\n",
        b"=",
        b"-----BEGIN AGE ENCRYPTED FILE-----\n",
        b"-----END AGE ENCRYPTED FILE-----\n",
        b"\xff\0",
    ];
    for _ in 0..20_000 {
        let mut choice = [0; 12];
        secret::Random::fill(&mut random, &mut choice);
        let text: Vec<u8> = choice.iter().flat_map(|&byte| pieces[usize::from(byte) % pieces.len()]).copied().collect();
        let _ = WrappedKey::parse(&String::from_utf8_lossy(&text));
        let _ = AgeFile::parse(text, &Limits::ENC);
    }
}

#[test]
fn too_long_is_refused_early() {
    let long = format!("{}\n{}", armor::BEGIN, "A".repeat(1 << 20));
    assert_eq!(WrappedKey::parse(&long).err(), Some(KeyError::Armor("too long")));
    let stanzas = format!("age-encryption.org/v1\n{}", "-> x\n\n".repeat(65));
    assert_eq!(AgeFile::parse(stanzas.into(), &Limits::ENC).err(), Some(KeyError::Header("too many stanzas")));
}

/// One real stanza among many others: the largest header we accept is still read quickly.
#[test]
fn a_large_header_opens() {
    struct Crowd(age::x25519::Recipient);
    impl age::Recipient for Crowd {
        fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
            let (mut stanzas, labels) = self.0.wrap_file_key(key)?;
            stanzas.extend((0..60).map(|_| Stanza { tag: "x".into(), args: Vec::new(), body: vec![0; 700] }));
            Ok((stanzas, labels))
        }
    }
    let (text, recipient) = generate_x25519(&mut Counter(4));
    let enc = seal(&Crowd(recipient.parse().unwrap()), &SecretBytes::new(vec![6; 32])).unwrap();
    assert!(enc.len() > 60_000);
    let opened = parse_identity(text.expose(), &Access::none()).unwrap().unwrap(&enc);
    assert_eq!(opened.unwrap().unwrap().len(), 32);
}
