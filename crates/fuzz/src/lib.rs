//! What each fuzz target does with its bytes. No panic, no hang, no stack overflow on anything; and what JSON, dotenv and
//! INI accept, they must accept again after it was printed. Not so YAML: it is printed exactly as SOPS prints it, and
//! SOPS writes some block scalars that begin with blank lines so that nobody can read them, itself included.

use std::sync::{Arc, OnceLock};

use document::format::{Env, Ini, Json, Yaml};
use document::{EmitOptions, Format};
use pattern::Pattern;
use scan::{Content, Lines, Options, Origin, RuleSet, Scanner};
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

/// A regular expression in Go's syntax, and a text to try it on.
pub fn pattern(bytes: &[u8]) {
    /// Compiling larger ones takes longer than a fuzzer waits.
    const SMALL: usize = 20_000;
    let source = String::from_utf8_lossy(bytes);
    let Ok(pattern) = Pattern::parse(&source) else { return };
    if pattern.size() <= SMALL {
        let mut captures = pattern.regex().create_captures();
        pattern.regex().captures(bytes, &mut captures);
        assert!(captures.group_len() <= pattern.captures_len());
    }
}

/// A `.gitleaks.toml`, which may extend itself and the default rules.
pub fn gitleaks(bytes: &[u8]) {
    struct Itself<'b>(&'b [u8]);
    impl scan::gitleaks::World for Itself<'_> {
        fn default_rules(&mut self) -> RuleSet {
            RuleSet::default()
        }

        fn open(&mut self, _: &str) -> Result<Vec<u8>, String> {
            Ok(self.0[self.0.len() / 2..].to_vec())
        }
    }
    let usable = scan::gitleaks::read(bytes, &mut Itself(bytes)).is_ok();
    let remarks = scan::gitleaks::lint(bytes, &mut Itself(bytes));
    let error = remarks.iter().any(|remark| remark.level == scan::gitleaks::Level::Error);
    assert!(usable != error, "{remarks:?}");
}

/// A content, decoded as deep as it goes and searched by one rule.
pub fn decode(bytes: &[u8]) {
    static SCANNER: OnceLock<Scanner> = OnceLock::new();
    let scanner = SCANNER.get_or_init(|| {
        struct Nothing;
        impl scan::gitleaks::World for Nothing {
            fn default_rules(&mut self) -> RuleSet {
                RuleSet::default()
            }

            fn open(&mut self, _: &str) -> Result<Vec<u8>, String> {
                Err("there are no files".to_owned())
            }
        }
        let loaded = scan::gitleaks::read(b"[[rules]]\nid='a'\nregex='[a-z]{6}'\n", &mut Nothing);
        Scanner::new(Arc::new(loaded.expect("the rule is in order").rules), Options::default())
    });
    let seen = scanner.scan(&Content { bytes, paths: &[], first_line: 1, base: None });
    let _ = scanner.judge(&seen, &Origin::default(), Lines::All);
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
