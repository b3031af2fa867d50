//! What each fuzz target does with its bytes. No panic, no hang, no stack overflow on anything; and what JSON, dotenv and
//! INI accept, they must accept again after it was printed. Not so YAML: it is printed exactly as SOPS prints it, and
//! SOPS writes some block scalars that begin with blank lines so that nobody can read them, itself included.

use document::format::{Env, Ini, Json, Yaml};
use document::{EmitOptions, Format};
use secret::{DataKey, Random, SecretBytes};
use sops::config::Strictness;
use sops::{Config, Encrypted};

/// A YAML file.
pub fn yaml(bytes: &[u8]) {
    read_and_print(&Yaml, bytes);
}

/// A JSON file.
pub fn json(bytes: &[u8]) {
    read_and_print(&Json, bytes);
}

/// A dotenv file.
pub fn env(bytes: &[u8]) {
    read_and_print(&Env, bytes);
}

/// An INI file.
pub fn ini(bytes: &[u8]) {
    read_and_print(&Ini, bytes);
}

/// An encrypted file with any metadata, opened with a key that is not its own.
pub fn metadata(bytes: &[u8]) {
    for format in document::format::ALL {
        if let Ok(encrypted) = format.parse_sealed(SecretBytes::new(bytes.to_vec())).map(Encrypted::new) {
            let _ = encrypted.map(|encrypted| encrypted.unlock(key(), true).map(sops::Unlocked::verify));
        }
    }
}

/// One `ENC[…]` text, as a value and as the MAC of a file that is otherwise in order.
pub fn token(bytes: &[u8]) {
    let _ = sops::is_token(bytes);
    let text = String::from_utf8_lossy(bytes).replace('\\', "\\\\").replace('"', "\\\"");
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let file = format!(
        "{{\"a\": \"{text}\", \"sops\": {{\"age\": [{{\"recipient\": \"age1\", \"enc\": \"x\"}}], \
         \"lastmodified\": \"2026-01-02T03:04:05Z\", \"mac\": \"{text}\", \"version\": \"3.13.3\"}}}}"
    );
    metadata(file.as_bytes());
}

/// A `.sops.yaml`.
pub fn config(bytes: &[u8]) {
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        if let Ok(config) = Config::parse(bytes, strictness) {
            let _ = config.policy_for("apps/web/app.secret.yaml");
        }
    }
}

fn read_and_print(format: &dyn Format, bytes: &[u8]) {
    let Ok(document) = format.parse(SecretBytes::new(bytes.to_vec())) else { return };
    let Ok(printed) = document.emit(&EmitOptions::default()) else { return };
    let again = format.parse(printed).is_ok();
    assert!(again || format.name() == "yaml", "{} does not read what it printed", format.name());
}

fn key() -> DataKey {
    struct Sevens;
    impl Random for Sevens {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }
    DataKey::generate(&mut Sevens)
}
