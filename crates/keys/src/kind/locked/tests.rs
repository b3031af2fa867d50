//! Key files behind a passphrase.

use std::io::Write;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use secret::SecretString;

use super::*;
use crate::{Keyring, Prompt, fixtures::Counter, generate_x25519, parse_key_file, parse_recipient};

struct Answer(Option<&'static str>, AtomicUsize);

impl Prompt for Answer {
    fn passphrase(&self, what: &str) -> Option<SecretString> {
        assert_eq!(what, "keys.age");
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.map(|answer| SecretString::new(answer.into()))
    }
}

/// `text` behind the passphrase `sesame`, as `age -p` writes it but for the work factor.
fn lock(text: &str, armored: bool) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new("sesame".to_owned().into());
    recipient.set_work_factor(2);
    let mut bytes = Vec::new();
    let format = if armored { age::armor::Format::AsciiArmor } else { age::armor::Format::Binary };
    let output = age::armor::ArmoredWriter::wrap_output(&mut bytes, format).unwrap();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as _)).unwrap();
    let mut writer = encryptor.wrap_output(output).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap().finish().unwrap();
    bytes
}

/// The ring's answers to two entries for the key in the file, and how often it asked.
fn open_twice(file: &[u8], answer: Option<&'static str>) -> (Vec<Result<SecretBytes, KeyError>>, usize) {
    let prompt = Arc::new(Answer(answer, AtomicUsize::new(0)));
    let mut ring = Keyring::new();
    for identity in parse_key_file(file, "keys.age", &Access::new(prompt.clone(), [])).unwrap() {
        ring.add(identity, "keys.age");
    }
    let recipient = parse_recipient(&generate_x25519(&mut Counter(1)).1).unwrap();
    let enc = recipient.wrap(&SecretBytes::new(vec![3; 32])).unwrap();
    let open = || ring.unwrap(&enc).map_err(|unopened| unopened.damage().unwrap().clone());
    (vec![open(), open()], prompt.1.load(Ordering::Relaxed))
}

#[test]
fn it_is_opened_once() {
    let (text, _) = generate_x25519(&mut Counter(1));
    let (other, _) = generate_x25519(&mut Counter(2));
    let text = format!("# two keys\n{}\n{}\n", other.expose(), text.expose());
    for armored in [true, false] {
        let (results, asked) = open_twice(&lock(&text, armored), Some("sesame"));
        assert_eq!(asked, 1);
        assert!(results.into_iter().all(|result| result.unwrap() == SecretBytes::new(vec![3; 32])));
    }
}

#[test]
fn what_can_go_wrong() {
    let (text, _) = generate_x25519(&mut Counter(1));
    let name = "keys.age".to_owned();
    let problem = |file: &[u8], answer| open_twice(file, answer).0.remove(0).unwrap_err();
    let sound = lock(text.expose(), true);
    assert_eq!(problem(&sound, None), KeyError::NoPassphrase(name.clone()));
    assert_eq!(problem(&sound, Some("wrong")), KeyError::WrongPassphrase(name));
    assert_eq!(problem(&lock("# nothing\n", false), Some("sesame")), KeyError::NoIdentity);
    let error = problem(&lock("\n\nAGE-SECRET-KEY-1CANARY\n", false), Some("sesame"));
    assert!(error.to_string().starts_with("line 3") && !format!("{error:?}").contains("CANARY"), "{error}");
}

#[test]
fn an_expensive_file_is_refused_before_the_work() {
    let mut bytes = lock("x", false);
    let at = bytes.iter().skip(22).position(|&byte| byte == b'\n').unwrap() + 22;
    bytes.splice(at - 1..at, *b"23");
    let (results, _) = open_twice(&bytes, Some("sesame"));
    assert_eq!(results[0], Err(KeyError::WorkFactor(23)));
}

#[test]
fn files_for_recipients_are_no_key_files() {
    let recipient = parse_recipient(&generate_x25519(&mut Counter(1)).1).unwrap();
    let file = recipient.wrap(&SecretBytes::new(vec![3; 32])).unwrap();
    assert!(parse_key_file(file.as_bytes(), "", &Access::none()).is_err());
    assert!(parse_key_file(b"age-encryption.org/v1\ncut", "", &Access::none()).is_err());
}
