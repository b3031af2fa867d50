//! Files that our own engine encrypts break no rule; one value in clear is found, exactly.

use document::format::for_path;
use guard::{Breach, FileVersion, Kind, Mend, Rules};
use keys::{Access, Keyring};
use scan::{Confidence, Place};
use secret::{DataKey, OsRandom, SecretBytes};
use sops::{Memory, Policy, SealOptions, Sealing, Selector, Timestamp};
use testkit::random::Dice;

use crate::repository::{Files, check, files, rules, with_version};

struct Keys {
    recipient: String,
    ring: Keyring,
}

fn keys() -> Keys {
    let (identity, recipient) = keys::generate_x25519(&mut OsRandom::new());
    let mut ring = Keyring::new();
    ring.add(keys::parse_identity(identity.expose(), &Access::none()).unwrap(), "test");
    Keys { recipient, ring }
}

fn seal(path: &str, text: &str, recipient: &str, selector: Option<&Selector>) -> String {
    let key = DataKey::generate(&mut OsRandom::new());
    let groups = vec![vec![recipient.to_owned()]];
    let policy = Policy { groups, selector: selector.cloned(), ..Policy::default() };
    let metadata = policy.metadata(&key, &Access::none(), &mut OsRandom::new()).unwrap();
    let now = Timestamp(1_790_000_000);
    let options = SealOptions { allow_nothing: true, ..SealOptions::default() };
    let doc = for_path(path.as_bytes()).parse(SecretBytes::from(text)).unwrap();
    let mut rng = OsRandom::new();
    let sealing = Sealing { key: &key, metadata, memory: Memory::default(), options, rng: &mut rng, now, created: now };
    String::from_utf8(sops::seal(doc, sealing).unwrap().text.into_whole().into_inner()).unwrap()
}

fn config(recipient: &str, selector: Option<&Selector>) -> String {
    let selector = selector.map(Selector::field).map(|(field, text)| format!("\n    {field}: {text}"));
    format!("creation_rules:\n  - path_regex: ^x\\.\n    age: {recipient}{}\n", selector.unwrap_or_default())
}

/// A flat file, one value per line, with the values that it has.
fn flat(path: &str, dice: &mut Dice) -> String {
    let count = 1 + dice.below(6);
    let lines: Vec<(String, String)> =
        (0..count).map(|at| (format!("key{at}"), format!("value {at} {}", dice.below(1000)))).collect();
    let join =
        |line: &dyn Fn(&(String, String)) -> String, by: &str| lines.iter().map(line).collect::<Vec<_>>().join(by);
    match path {
        "x.yaml" => join(&|(key, value)| format!("{key}: {value}\n"), ""),
        "x.json" => format!("{{\n{}\n}}\n", join(&|(key, value)| format!("  \"{key}\": \"{value}\""), ",\n")),
        "x.ini" => format!("[section]\n{}", join(&|(key, value)| format!("{key} = {value}\n"), "")),
        "x.env" => join(&|(key, value)| format!("{key}={value}\n"), ""),
        _ => join(&|(_, value)| value.clone(), "\n"),
    }
}

/// Puts a clear text in the place of the `nth` token that is a value; the line it stands on, from 1.
fn open_one(sealed: &str, nth: usize) -> (String, usize) {
    let (at, _) = sealed.match_indices("ENC[").nth(nth).unwrap();
    let end = at + sealed[at..].find(']').unwrap() + 1;
    let line = sealed[..at].matches('\n').count() + 1;
    (format!("{}Canary4711{}", &sealed[..at], &sealed[end..]), line)
}

fn kinds(breaches: &[Breach]) -> Vec<(Kind, usize)> {
    breaches.iter().map(|breach| (breach.kind, breach.line())).collect()
}

#[test]
fn what_we_encrypt_breaks_nothing_and_one_opened_value_is_found() {
    let keys = keys();
    let mut dice = Dice::new(4711);
    for round in 0..150 {
        let path = *dice.pick(&["x.yaml", "x.json", "x.ini", "x.env", "x.bin"]);
        let binary = path == "x.bin";
        let regex = Selector::from_field("encrypted_regex", "^key[0-3]|section").unwrap();
        let selector = if dice.chance(50) || binary { None } else { Some(&regex) };
        let text = flat(path, &mut dice);
        let sealed = seal(path, &text, &keys.recipient, selector);
        let config = config(&keys.recipient, selector);
        let before = files(&[(".sops.yaml", &config), (path, &sealed)]);
        assert_eq!(check(None, &before), [], "{round} {path}");
        let rules = rules(None, &before);
        let file = FileVersion { path: path.as_bytes(), bytes: sealed.as_bytes(), old: None, siblings: &[] };
        assert_eq!(rules.check_with(&file, &keys.ring), [], "{round} {path}");

        let tokens = if binary {
            1
        } else {
            text.matches("value").count().min(if selector.is_some() && path != "x.ini" { 4 } else { 9 })
        };
        let (opened, line) = open_one(&sealed, dice.below(tokens));
        let after = files(&[(".sops.yaml", &config), (path, &opened)]);
        let expected = [(Kind::ValueInClear, if binary { 1 } else { line })];
        assert_eq!(kinds(&check(None, &after)), expected, "{round} {path}\n{opened}");
        let found = check(Some(&before), &after);
        assert_eq!(kinds(&found), expected, "{round} {path}");
        assert!(!format!("{found:?} {:?}", found[0].finding(Place::File)).contains("Canary4711"));

        // In clear as a whole, whether or not it was encrypted before.
        let plain = files(&[(".sops.yaml", &config), (path, &text)]);
        assert_eq!(check(None, &plain)[0].kind, Kind::NotEncrypted, "{round} {path}");
        assert_eq!(check(Some(&before), &plain)[0].kind, Kind::MetadataStripped, "{round} {path}");
    }
}

#[test]
fn an_identity_sees_what_the_tree_alone_does_not() {
    let keys = keys();
    let sealed = seal("x.yaml", "a: 1\nb_unencrypted: open\n", &keys.recipient, None);
    let changed = sealed.replace("open", "shut");
    let (one, other) = (files(&[("x.yaml", &sealed)]), files(&[("x.yaml", &changed)]));
    let with =
        |files: &Files| with_version(None, files, b"x.yaml", |file| rules(None, files).check_with(file, &keys.ring));
    assert_eq!(with(&one), []);
    assert_eq!(kinds(&with(&other)), [(Kind::MacMismatch, 1)]);
    assert_eq!(check(None, &other), [], "without an identity and without the old version nothing shows");
    assert_eq!(check(Some(&one), &other)[0].kind, Kind::MacStale);
    let stranger = keys::generate_x25519(&mut OsRandom::new());
    let mut ring = Keyring::new();
    ring.add(keys::parse_identity(stranger.0.expose(), &Access::none()).unwrap(), "test");
    assert_eq!(with_version(None, &other, b"x.yaml", |file| rules(None, &other).check_with(file, &ring)), []);
}

#[test]
fn a_private_key_in_the_rules_is_named_and_not_shown() {
    let (identity, _) = keys::generate_x25519(&mut OsRandom::new());
    let config = config(identity.expose(), None);
    let found = check(None, &files(&[(".sops.yaml", &config), ("x.yaml", "a: 1\n")]));
    assert_eq!(found[0].kind, Kind::IdentityAsRecipient);
    assert_eq!((found[0].line(), found[0].column()), (3, 10));
    assert!(found.iter().any(|breach| breach.kind == Kind::NotEncrypted), "the rule still covers the file");
    assert!(!format!("{found:?}").contains(&identity.expose()[20..]));
}

#[test]
fn mends() {
    let keys = keys();
    let stranger = keys::generate_x25519(&mut OsRandom::new()).1;
    let (config, sealed) = (config(&keys.recipient, None), seal("x.yaml", "a: b\nc: d\n", &keys.recipient, None));
    let foreign = seal("x.yaml", "a: b\n", &stranger, None);
    let opened = open_one(&sealed, 1).0;
    let mend = |old: Option<&str>, now: &str| {
        let before = old.map(|old| files(&[(".sops.yaml", &config), ("x.yaml", old)]));
        let after = files(&[(".sops.yaml", &config), ("x.yaml", now)]);
        with_version(before.as_ref(), &after, b"x.yaml", |file| rules(before.as_ref(), &after).mend(file))
    };
    assert_eq!(mend(None, &sealed), Mend::Nothing);
    assert!(matches!(mend(None, "a: b\n"), Mend::Encrypt { rule: Some(rule), reuse: false } if rule.line == 2));
    assert!(matches!(mend(Some(&sealed), "a: b\n"), Mend::Encrypt { reuse: true, .. }));
    assert!(matches!(mend(Some(&sealed), &opened), Mend::SealValues(at) if at[0].path.to_string() == "[\"c\"]"));
    assert!(matches!(mend(None, &foreign), Mend::ByHand(_)));
    assert!(matches!(mend(Some(&sealed), ""), Mend::ByHand(_)));
    assert!(matches!(mend(None, &sealed.replace("\nc: ENC", "\nz: ENC")), Mend::Nothing), "no key and no old version");
    assert!(matches!(mend(Some(&sealed), &sealed.replace("\nc: ENC", "\nz: ENC")), Mend::ByHand(_)));
}

#[test]
fn accepted_recipients_are_no_breach() {
    let (one, two) = (keys().recipient, keys().recipient);
    let before = files(&[(".sops.yaml", &config(&one, None))]);
    let after = files(&[(".sops.yaml", &config(&format!("{one},{two}"), None))]);
    let mut rules = rules(Some(&before), &after);
    let found = rules.check_rules(&[]);
    assert_eq!(kinds(&found), [(Kind::RuleRecipientAdded, 2)]);
    rules.accept([two]);
    assert_eq!(rules.check_rules(&[]), []);
}

#[test]
fn findings_say_where_and_never_what() {
    let after = files(&[(".sops.yaml", &config(&keys().recipient, None)), ("x.yaml", "é: Canary4711\n")]);
    let found = check(None, &after);
    let findings: Vec<_> = found.iter().map(|breach| breach.finding(Place::Index)).collect();
    assert_eq!(findings[1].rule.as_ref(), "sops-value-in-clear");
    assert_eq!((findings[1].span.start_column, findings[1].span.start_byte_column), (4, 5));
    assert_eq!(findings[1].confidence, Confidence::High);
    assert!(findings[0].digest != findings[1].digest && findings[0].digest == found[0].finding(Place::File).digest);
    assert!(findings[0].tags.iter().any(|tag| tag == "creation-rule:.sops.yaml:2"));
    assert!(!format!("{findings:?}{found:?}").contains("Canary"));
}

#[test]
fn rules_are_cheap_to_ask() {
    let rules = Rules::new(None, &guard::Configs::new());
    assert!(!rules.covers(b"x.yaml") && Rules::is_config(b"a/.sops.yaml"));
    assert!(rules.check(&FileVersion { path: b"x.yaml", bytes: b"a: [", old: None, siblings: &[] }).is_empty());
}
