//! Values written in clear into an encrypted file are encrypted where they stand, and nothing else is let through.

use document::EmitOptions;
use secret::{OsRandom, SecretBytes};
use sops::rewrite::{Again, seal_clear};
use sops::{Encrypted, SopsError, Timestamp};

use crate::keys_at_hand::{Keys, format, seal, text_of};

const TEXT: &str = "# who\na: 0x1F   # as hex\nb:\n    c: \"two\"\n    list: [x, y]\n";

fn encrypted(text: &str, name: &str) -> Encrypted {
    Encrypted::new(format(name).parse_sealed(SecretBytes::from(text)).unwrap()).unwrap()
}

fn mend(keys: &Keys, name: &str, old: &str, new: &str) -> Result<String, SopsError> {
    let (old, new) = (encrypted(old, name), encrypted(new, name));
    let key = old.data_key(&keys.ring)?;
    let (mut rng, now, layout) = (OsRandom::new(), Timestamp(1_790_000_100), EmitOptions::default());
    let sealed = seal_clear(new, old, key, Again { rng: &mut rng, now, layout, as_sops: false })?;
    Ok(String::from_utf8(sealed.text.into_whole().into_inner()).unwrap())
}

fn token<'t>(text: &'t str, start: &str) -> &'t str {
    let line = text.lines().find(|line| line.trim_start().starts_with(start)).unwrap();
    let from = line.find("ENC[").unwrap();
    &line[from..=from + line[from..].find(']').unwrap()]
}

fn sealed(keys: &Keys) -> String {
    String::from_utf8(seal(TEXT, "yaml", &keys.policy(None)).unwrap().text.into_whole().into_inner()).unwrap()
}

#[test]
fn a_changed_and_an_added_value_are_sealed_in_their_places() {
    let keys = Keys::new();
    let old = sealed(&keys);
    let new = old.replace(token(&old, "c:"), "open").replace("b:\n", "b:\n    new: 5\n");
    assert!(keys.open(new.as_bytes(), "yaml").is_err());
    let mended = mend(&keys, "yaml", &old, &new).unwrap();
    assert!(!mended.contains("open") && mended.contains(token(&old, "a:")), "{mended}");
    let plain = text_of(&keys.open(mended.as_bytes(), "yaml").unwrap());
    assert_eq!(plain, TEXT.replace("two", "open").replace("b:\n", "b:\n    new: 5\n"));
}

#[test]
fn flat_and_binary_files_too() {
    let keys = Keys::new();
    for (name, text, clear) in [
        ("dotenv", "A=one\nB=two\n", "B"),
        ("ini", "[s]\nA = one\nB = two\n", "B"),
        ("json", "{\n\t\"A\": 1,\n\t\"B\": \"two\"\n}\n", "\"B\""),
    ] {
        let old =
            String::from_utf8(seal(text, name, &keys.policy(None)).unwrap().text.into_whole().into_inner()).unwrap();
        let new = old.replace(token(&old, clear), "three");
        let mended = mend(&keys, name, &old, &new).unwrap();
        assert!(!mended.contains("three"), "{mended}");
        assert_eq!(text_of(&keys.open(mended.as_bytes(), name).unwrap()), text.replace("two", "three"));
    }
}

#[test]
fn what_the_old_version_does_not_vouch_for_is_refused() {
    let keys = Keys::new();
    let (old, other) = (sealed(&keys), sealed(&keys));
    let opened = old.replace(token(&old, "c:"), "open");
    let moved = opened.replacen("a: ENC", "z: ENC", 1);
    assert!(matches!(mend(&keys, "yaml", &old, &moved), Err(SopsError::Value { .. })));
    let swapped = opened.replace(token(&old, "a:"), token(&other, "a:"));
    assert!(matches!(mend(&keys, "yaml", &old, &swapped), Err(SopsError::Value { .. })));
    let cut = opened.replace(token(&old, "a:"), "ENC[AES256_GCM,data:AAAA");
    assert!(mend(&keys, "yaml", &old, &cut).is_err());
    let tampered = old.replace("b:\n", "q_unencrypted: 1\nb:\n");
    assert!(matches!(mend(&keys, "yaml", &tampered, &opened), Err(SopsError::MacMismatch)));
    assert!(matches!(mend(&Keys::new(), "yaml", &old, &opened), Err(SopsError::NoKey(_))));
}
