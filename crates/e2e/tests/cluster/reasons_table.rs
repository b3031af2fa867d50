//! Every reason that the guides explain, and every one that the code can give, with the test that drives it.

use crate::reasons::{AT_THE_DOOR, NEVER_STORED};
use std::collections::BTreeSet;
use testkit::{fixtures, peer};

/// Word and test. A test may wait for it itself, or drive every file of `fixtures/resources/refused`.
const DRIVEN: [(&str, &str); 34] = [
    ("Suspended", "controller-suspend"),
    ("InvalidFormat", "controller-undefended"),
    ("ReservedName", "controller-refusals"),
    ("SelectorMismatch", "controller-undefended"),
    ("Plaintext", "controller-undefended"),
    ("KeyNotFound", "controller-key-comes"),
    ("KeyRevoked", "keys-life"),
    ("DecryptFailed", "controller-replays"),
    ("MacMismatch", "controller-replays"),
    ("KeyOrder", "controller-refusals"),
    ("BindingMismatch", "controller-replays"),
    ("ShapeMismatch", "controller-replays"),
    ("TemplateFailed", "controller-template-bombs"),
    ("TemplateUnsupported", "controller-sealed-secrets"),
    ("InvalidSecret", "controller-largest-result"),
    ("OwnershipConflict", "controller-ownership"),
    ("ImmutableConflict", "controller-immutable"),
    ("TypeConflict", "controller-immutable"),
    ("SecretMissing", "controller-merge-guests"),
    ("NamespaceNotFound", "controller-answers"),
    ("NamespaceTerminating", "controller-terminating"),
    ("QuotaExceeded", "controller-api-refusals"),
    ("AdmissionDenied", "controller-admission"),
    ("Forbidden", "controller-namespaced"),
    ("Conflict", "controller-storms"),
    ("ApiUnavailable", "controller-answers"),
    ("UnknownRecipients", "keys-life"),
    ("KeyDeleted", "keys-life"),
    ("PublishedUnreadable", "keys-life"),
    ("NoActiveKey", "keys-life"),
    ("KeyUnreadable", "keys-life"),
    ("KeyMissing", "keys-life"),
    ("WaitingForKey", "keys-life"),
    ("ResourcesUnread", "controller-denied-lists"),
];

/// What no API server can bring about: the file and the test that do.
const ELSEWHERE: [(&str, &str, &str); 3] = [
    // An API server keeps one object per request.
    ("MultipleDocuments", "crates/sealed/tests/it/opening.rs", "a_resource_is_alone_in_its_file"),
    // No object that an API server stores keeps the opening busy for 20 s.
    ("TimedOut", "controller/src/cluster/aside.rs", "what_takes_too_long_or_breaks_is_a_reason"),
    // A fault of the controller's own, such as a panic while opening; none is known.
    ("Internal", "controller/src/cluster/aside.rs", "what_takes_too_long_or_breaks_is_a_reason"),
];

/// What the code says to its log only.
const NEVER_SHOWN: [&str; 1] = ["NotReady"];

#[test]
fn every_reason_is_driven_by_a_test() {
    let explained = explained();
    let driven = DRIVEN.iter().map(|(word, _)| *word);
    let listed: Vec<&str> = driven.chain(ELSEWHERE.iter().map(|(word, ..)| *word)).collect();
    let set: BTreeSet<String> = listed.iter().map(|word| (*word).to_owned()).collect();
    assert_eq!(set.len(), listed.len(), "a word is listed twice");
    assert_eq!(explained, set, "left: the words of the guides; right: those of this table");
    let unexplained: Vec<_> = given().into_iter().filter(|word| !explained.contains(word)).collect();
    assert_eq!(unexplained, NEVER_SHOWN, "the code gives reasons that no guide explains");
    let expected = text("fixtures/expected-tests.txt");
    for (word, test) in DRIVEN {
        assert!(expected.lines().any(|line| line == test), "{word}: nobody expects the test {test} to run");
        assert!(drives(word, test), "{test} does not drive {word}");
    }
    for (word, file, test) in ELSEWHERE {
        let source = text(file);
        let body = source.split(&format!("fn {test}()")).nth(1).unwrap_or_default();
        let body = body.split("#[test]").next().unwrap_or_default();
        let names = [format!("\"{word}\""), format!("Reason::{word}")];
        assert!(names.iter().any(|name| body.contains(name)), "{test} in {file} does not drive {word}");
    }
    peer::say(&format!("{} of {} reasons are driven on an API server", DRIVEN.len(), listed.len()));
}

/// Whether the file of a test waits for the word, or drives a file that is refused so.
fn drives(word: &str, test: &str) -> bool {
    let folder = fixtures::workspace().join("crates/e2e/tests/cluster");
    let own = format!("let test = \"{test}\";");
    let sources = fixtures::files_below(&folder).into_iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let source = sources.into_iter().find(|source| source.contains(&own)).unwrap_or_default();
    let files = fixtures::files_below(&fixtures::folder("resources/refused"));
    let mut names = files.iter().filter_map(|file| file.file_name()?.to_str());
    let in_cluster = |name: &&str| !AT_THE_DOOR.contains(name) && !NEVER_STORED.contains(name);
    source.contains(&format!("\"{word}\""))
        || (source.contains("resources/refused")
            && names.any(|name| in_cluster(&name) && name.starts_with(&format!("{word}."))))
}

/// The first words of the rows of the tables of reasons.
fn explained() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for guide in ["docs/cluster.md", "docs/keys-in-the-cluster.md"] {
        let text = text(guide);
        let mut inside = false;
        for line in text.lines() {
            inside = line.starts_with("| reason |") || (inside && line.starts_with('|'));
            let word = line.strip_prefix("| `").and_then(|rest| rest.split_once('`'));
            words.extend(word.filter(|_| inside).map(|(word, _)| word.to_owned()));
        }
    }
    words
}

/// The words that stand in the code where reasons are made.
fn given() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let places = [
        ("crates/sealed/src/reason.rs", "=> \""),
        ("crates/sealed/src/custody/step.rs", "=> \""),
        ("controller/src/cluster/fault.rs", "=> \""),
    ];
    for (file, before) in places {
        words.extend(after(&text(file), before));
    }
    for file in fixtures::files_below(&fixtures::workspace().join("controller/src/cluster")) {
        words.extend(after(&std::fs::read_to_string(file).unwrap(), "Fault::new(\""));
    }
    assert!(words.len() > 25, "{words:?}");
    words
}

/// The words in quotes after `before`.
fn after(text: &str, before: &str) -> Vec<String> {
    let rests = text.split(before).skip(1).filter_map(|rest| rest.split('"').next());
    let is_word = |word: &&str| word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphabetic);
    rests.filter(is_word).map(str::to_owned).collect()
}

fn text(file: &str) -> String {
    std::fs::read_to_string(fixtures::workspace().join(file)).unwrap()
}
