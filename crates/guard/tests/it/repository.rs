//! A small repository in memory: what is there before a change, and after.

use std::collections::BTreeMap;
use std::path::Path;

use bstr::BString;
use guard::{Breach, Configs, FileVersion, Rules, Sibling, Tracked};

/// Paths and bytes.
pub(crate) type Files = BTreeMap<Vec<u8>, Vec<u8>>;

/// Reads a folder; `None` if it is not there.
pub(crate) fn read(folder: &Path) -> Option<Files> {
    let name = |file: &Path| file.strip_prefix(folder).unwrap().to_str().unwrap().as_bytes().to_vec();
    let files = testkit::fixtures::files_below(folder);
    folder.is_dir().then(|| files.iter().map(|file| (name(file), std::fs::read(file).unwrap())).collect())
}

pub(crate) fn files(list: &[(&str, &str)]) -> Files {
    list.iter().map(|(path, text)| (path.as_bytes().to_vec(), text.as_bytes().to_vec())).collect()
}

fn configs(files: &Files) -> Configs {
    let configs = files.iter().filter(|(path, _)| Rules::is_config(path));
    configs.map(|(path, text)| (BString::from(path.as_slice()), text.clone())).collect()
}

pub(crate) fn rules(before: Option<&Files>, after: &Files) -> Rules {
    Rules::new(before.map(configs).as_ref(), &configs(after))
}

/// Everything that is wrong with a change: the rules first, then file by file.
pub(crate) fn check(before: Option<&Files>, after: &Files) -> Vec<Breach> {
    let rules = rules(before, after);
    let tracked: Vec<Tracked<'_>> =
        after.iter().map(|(path, bytes)| Tracked { path, bytes: Some(bytes.as_slice()) }).collect();
    let mut breaches = rules.check_rules(&tracked);
    for path in after.keys() {
        breaches.extend(with_version(before, after, path, |file| rules.check(file)));
    }
    breaches
}

/// Calls `look` with one file of the change.
pub(crate) fn with_version<R>(
    before: Option<&Files>,
    after: &Files,
    path: &[u8],
    look: impl Fn(&FileVersion<'_>) -> R,
) -> R {
    let others = after.iter().filter(|(other, _)| *other != path);
    let siblings: Vec<Sibling<'_>> =
        others.map(|(path, bytes)| Sibling { path, bytes: Some(bytes.as_slice()) }).collect();
    let old = before.and_then(|before| before.get(path)).map(Vec::as_slice);
    look(&FileVersion { path, bytes: &after[path], old, siblings: &siblings })
}
