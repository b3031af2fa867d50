//! The age test vectors (fixtures/age-cctv), all of them, each with the outcome it names. Run once through the age
//! layer as it is, passphrases allowed as for key files, and once as an `enc` text, where they never are.

use sha2::{Digest, Sha256};

use super::{AgeFile, Limits, armor};
use crate::{KeyError, WrappedKey, fixtures, kind};

const FOLDER: &str = "age-cctv/vectors";
/// Some vectors are 16 MiB.
const LIMITS: Limits = Limits { bytes: 1 << 26, stanzas: 64 };

#[derive(Default)]
struct Vector {
    expect: String,
    payload: Option<String>,
    keys: Vec<Box<dyn age::Identity>>,
    armored: bool,
    body: Vec<u8>,
}

fn read(name: &str) -> Vector {
    let bytes = fixtures::read(&format!("{FOLDER}/{name}"));
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("a vector has a head");
    let mut vector = Vector { body: bytes[end + 2..].to_vec(), ..Vector::default() };
    for line in std::str::from_utf8(&bytes[..end]).unwrap().lines() {
        let (key, value) = line.split_once(": ").expect("a head line is `key: value`");
        match key {
            "expect" => vector.expect = value.into(),
            "payload" => vector.payload = Some(value.into()),
            "identity" => vector.keys.push(kind::age_identity(value)),
            "passphrase" => vector.keys.push(Box::new(kind::Passphrase::new(value))),
            "armored" => vector.armored = value == "yes",
            "compressed" => vector.body = miniz_oxide::inflate::decompress_to_vec_zlib(&vector.body).unwrap(),
            "file key" | "comment" => {}
            other => panic!("{name}: unknown head line {other}"),
        }
    }
    vector
}

fn open(vector: &Vector) -> Option<Result<Vec<u8>, KeyError>> {
    let file = match vector.armored {
        true => AgeFile::from_armor(&vector.body, &LIMITS),
        false => AgeFile::parse(vector.body.clone(), &LIMITS),
    };
    let opened = match file {
        Ok(file) => vector.keys.iter().find_map(|key| file.open(key.as_ref(), LIMITS.bytes)),
        Err(error) => Some(Err(error)),
    };
    opened.map(|result| result.map(|payload| payload.expose().to_vec()))
}

fn outcome(result: &Option<Result<Vec<u8>, KeyError>>) -> &'static str {
    match result {
        Some(Ok(_)) => "success",
        None => "no match",
        Some(Err(KeyError::Armor(_))) => "armor failure",
        Some(Err(KeyError::Header(_) | KeyError::WorkFactor(_))) => "header failure",
        Some(Err(KeyError::HeaderMac)) => "HMAC failure",
        Some(Err(KeyError::Payload)) => "payload failure",
        Some(Err(_)) => "another failure",
    }
}

/// What is wrong with our answer to the vector. A failed payload gives nothing, not even its sound first part.
fn judge(vector: &Vector) -> Result<(), String> {
    let result = open(vector);
    if outcome(&result) != vector.expect {
        return Err(format!(
            "expected {}, found {}: {:?}",
            vector.expect,
            outcome(&result),
            result.and_then(Result::err)
        ));
    }
    let Some(Ok(payload)) = result else { return Ok(()) };
    let hash: String = Sha256::digest(&payload).iter().map(|byte| format!("{byte:02x}")).collect();
    match vector.payload.as_deref() == Some(&hash) {
        true => Ok(()),
        false => Err("another payload".into()),
    }
}

#[test]
fn every_vector_has_its_outcome() {
    let names = fixtures::list(FOLDER);
    assert_eq!(names.len(), 143);
    let wrong: Vec<_> =
        names.iter().filter_map(|name| judge(&read(name)).err().map(|problem| format!("{name}: {problem}"))).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), names.len(), wrong.join("\n"));
}

/// As an `enc` text every vector is refused by policy: their payloads are no data keys, and passphrases are not for
/// data keys.
#[test]
fn no_vector_is_a_wrapped_key() {
    let mut passphrases = 0;
    for name in fixtures::list(FOLDER) {
        let vector = read(&name);
        let text = if vector.armored { vector.body } else { armor::encode(&vector.body).into_bytes() };
        let text = String::from_utf8_lossy(&text);
        match WrappedKey::parse(&text) {
            Err(KeyError::PassphraseEntry) => {
                assert!(name.contains("scrypt"), "{name}");
                passphrases += 1;
            }
            Err(error) => assert!(matches!(error, KeyError::Armor(_) | KeyError::Header(_)), "{name}: {error}"),
            Ok(wrapped) => {
                assert!(!wrapped.stanza_types().any(|kind| kind == "scrypt"), "{name}");
                let opened = vector.keys.iter().find_map(|key| wrapped.open(key.as_ref()));
                assert!(!matches!(opened, Some(Ok(_))), "{name}");
                if vector.expect == "success" {
                    assert!(matches!(opened, Some(Err(KeyError::KeyLength(_)))), "{name}: {opened:?}");
                }
            }
        }
    }
    assert_eq!(passphrases, 22, "vectors refused because they are made for a passphrase");
}
