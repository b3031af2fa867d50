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

/// The failure with SOPS' keywords in front, and without advice that only `plomb` itself can follow.
pub(super) fn in_sops_words(mut failure: Failure) -> Failure {
    let keyword = KEYWORDS.iter().find(|(exit, _)| *exit == failure.exit).map(|(_, words)| *words);
    let keyword = keyword.or_else(|| failure.what.starts_with("no recipient").then_some("config file not found"));
    if let Some(words) = keyword.filter(|words| !failure.what.contains(words)) {
        failure.what = format!("{words}: {}", failure.what);
    }
    failure.what = failure.what.replace("the value is not JSON", "the value is not valid JSON");
    if failure.hint.as_ref().is_some_and(|hint| hint.contains("--allow-plaintext")) {
        failure.hint = Some("correct the selector; `plomb encrypt --allow-plaintext` if that is meant".to_owned());
    }
    failure
}
