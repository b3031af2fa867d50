//! The words that scripts look for in SOPS' messages, put into ours.

use crate::failure::{Exit, Failure};

/// For an exit code: what SOPS' message contains.
const KEYWORDS: [(Exit, &str); 7] = [
    (Exit::Mac, "MAC mismatch"),
    (Exit::NoKey, "Failed to get the data key required to decrypt the SOPS file"),
    (Exit::AlreadyEncrypted, "the file contains a top-level entry called 'sops'"),
    (Exit::Unchanged, "File has not changed"),
    (Exit::TreePath, "error parsing --extract path"),
    (Exit::Decrypt, "Error decrypting tree"),
    (Exit::Encrypt, "Error encrypting tree"),
];

/// For how a message begins: what SOPS' message contains.
const BEGINNINGS: [(&str, &str); 1] = [(
    "no recipient to encrypt to",
    "config file not found, or has no creation rules, and no keys provided through command line options",
)];

/// For how a message begins: SOPS' whole message. Its own test suite compares these.
const WHOLE: [(&str, &str); 1] =
    [("the creation rule names no recipient", "Could not generate data key: [empty key group provided]")];

/// The failure with SOPS' keywords in front, and without advice that only `plomb` itself can follow.
pub(super) fn in_sops_words(mut failure: Failure) -> Failure {
    if let Some((_, words)) = WHOLE.iter().find(|(start, _)| failure.what.starts_with(start)) {
        return Failure { is_bare: true, ..Failure::new(failure.exit, *words) };
    }
    let keyword = KEYWORDS.iter().find(|(exit, _)| *exit == failure.exit).map(|(_, words)| *words);
    let of_text = || BEGINNINGS.iter().find(|(start, _)| failure.what.starts_with(start)).map(|(_, words)| *words);
    let keyword = keyword.or_else(of_text);
    if let Some(words) = keyword.filter(|words| !failure.what.contains(words)) {
        failure.what = format!("{words}: {}", failure.what);
    }
    if failure.what.starts_with("cannot write to standard output") {
        failure.exit = Exit::Generic;
    }
    failure.what = failure.what.replace("the value is not JSON", "the value is not valid JSON");
    if failure.hint.as_ref().is_some_and(|hint| hint.contains("--allow-plaintext")) {
        failure.hint = Some("correct the selector; `plomb encrypt --allow-plaintext` if that is meant".to_owned());
    }
    failure
}
