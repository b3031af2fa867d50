//! What is no error in a configuration and still worth a word.

use std::path::{Path, PathBuf};

use document::Document;
use sops::{CreationRule, Selector};

use crate::config::ConfigFile;
use crate::context::Context;
use crate::failure::Failure;
use crate::paths::{self, shown};
use crate::{files, format, inspect, many};

/// Files larger than this are not looked into.
const LIMIT: u64 = 1 << 20;

/// One line per piece of advice, in the order of the rules.
///
/// # Errors
/// When the folder of the configuration cannot be read.
pub(super) fn of(config: &ConfigFile, context: &Context) -> Result<Vec<String>, Failure> {
    let rules = config.config.creation_rules.as_deref().unwrap_or_default();
    let files = below(config, context)?;
    let mut advice = Vec::new();
    if config.config.further_documents > 0 {
        advice.push(format!("warning: {}: only the first of its YAML documents counts", shown(&config.path)));
    }
    for (index, rule) in rules.iter().enumerate() {
        let mine: Vec<&PathBuf> =
            files.iter().filter(|(_, path)| first(rules, path) == Some(index)).map(|(file, _)| file).collect();
        let mut found = keys(rule);
        found.extend(reach(rules, index, &files, mine.len()));
        found.extend(rule.path_regex.iter().flat_map(|regex| pattern(regex.source())));
        found.extend(content(rule, &mine));
        let place = format!("{}:{}:", shown(&config.path), rule.line);
        advice.extend(found.into_iter().map(|(level, what)| format!("{level}: {place} rule {}: {what}", index + 1)));
    }
    Ok(advice)
}

type Advice = (&'static str, String);

fn first(rules: &[CreationRule], path: &str) -> Option<usize> {
    rules.iter().position(|rule| rule.matches(path))
}

/// The files that this configuration governs, with their path as rules see it.
fn below(config: &ConfigFile, context: &Context) -> Result<Vec<(PathBuf, String)>, Failure> {
    let folder = paths::absolute(&config.path).parent().map(Path::to_owned).unwrap_or_default();
    let own = paths::absolute(&config.path);
    let governs = |file: &Path| {
        let nearest = || crate::config::nearest(file).ok().flatten().map(|path| paths::absolute(&path));
        context.config.is_some() || nearest().is_some_and(|path| path == own)
    };
    let mut files = many::files_below(&folder)?;
    files.retain(|file| !inspect::is_never_secret(file) && governs(file));
    Ok(files.into_iter().map(|file| (file.clone(), config.rule_path(&file))).collect())
}

/// Recipients: none, twice, of both generations; a threshold without effect.
fn keys(rule: &CreationRule) -> Vec<Advice> {
    let mut found = Vec::new();
    let names: Vec<&str> = rule.policy.recipients().collect();
    if names.is_empty() && rule.policy.foreign.is_empty() {
        found.push(("warning", "it names no recipient, so nothing can be encrypted by it".to_owned()));
    }
    if let Some(name) = rule.policy.foreign.first() {
        found.push(("warning", format!("plomb cannot encrypt to {name}: only age and ssh recipients")));
    }
    if let Some(name) = rule.unused.first() {
        let name = keys::short_recipient(name);
        found.push(("warning", format!("beside key_groups its `age` has no effect: {name} gets nothing")));
    }
    if rule.policy.groups.len() == 1 && rule.policy.threshold.is_some_and(|threshold| threshold > 1) {
        found.push(("warning", "shamir_threshold has no effect without several key_groups".to_owned()));
    }
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|other| keys::same_recipient(other, name)) {
            found.push(("note", format!("{} is named twice", keys::short_recipient(name))));
        }
    }
    let hybrid = |name: &&&str| keys::parse_recipient(name).is_ok_and(|it| it.kind() == "hybrid");
    let count = names.iter().filter(hybrid).count();
    if count > 0 && count < names.len() {
        let what = "it mixes post-quantum and classical recipients: files are as weak as the classical ones";
        found.push(("note", what.to_owned()));
    }
    found
}

/// Rules that no file reaches.
fn reach(rules: &[CreationRule], index: usize, files: &[(PathBuf, String)], mine: usize) -> Vec<Advice> {
    let rule = &rules[index];
    if let Some(before) = rules[..index].iter().position(inspect::is_catch_all) {
        return vec![("warning", format!("it is never used: rule {} matches every file", before + 1))];
    }
    if let Some(before) = rules[..index].iter().position(|other| other.path_regex == rule.path_regex) {
        return vec![("warning", format!("it is never used: rule {} has the same path_regex", before + 1))];
    }
    let reached: Vec<&str> = files.iter().map(|(_, path)| path.as_str()).filter(|path| rule.matches(path)).collect();
    match (reached.first(), mine) {
        (None, _) => vec![("note", "it matches no file that is here now".to_owned())],
        (Some(path), 0) => {
            let by = first(&rules[..index], path).map_or(0, |before| before + 1);
            let path = paths::one_line(path);
            vec![("note", format!("every file it matches is taken by an earlier rule ({path} by rule {by})"))]
        }
        _ => Vec::new(),
    }
}

/// Dots that match anything, and ends that are open.
fn pattern(source: &str) -> Vec<Advice> {
    let mut found = Vec::new();
    if let Some(piece) = bare_dot(source) {
        let what = format!("the dot in {piece:?} of path_regex matches any character; a literal dot is `\\.`");
        found.push(("note", what));
    }
    let open_end =
        !source.ends_with('$') && !source.ends_with(".*") && !source.ends_with('/') && !source.ends_with(r"\z");
    if open_end {
        found.push((
            "note",
            "path_regex does not end with `$`: it also matches longer names (backups, .orig)".to_owned(),
        ));
    }
    let open_start = source.starts_with(|first: char| first.is_alphanumeric() || first == '_');
    if open_start {
        let what = "path_regex does not start with `^`: it also matches below other folders, and inside longer names";
        found.push(("note", what.to_owned()));
    }
    found
}

/// A dot in front of a letter that is neither escaped nor in a class nor repeated, with what follows it.
fn bare_dot(source: &str) -> Option<String> {
    let (mut escaped, mut class) = (false, false);
    for (at, c) in source.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '.' if !class => {
                let word: String = source[at + 1..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
                if !word.is_empty() {
                    return Some(format!(".{word}"));
                }
            }
            _ => {}
        }
    }
    None
}

/// What the selector does to the files that are there.
fn content(rule: &CreationRule, files: &[&PathBuf]) -> Vec<Advice> {
    let selector = rule.policy.selector.clone().unwrap_or_default();
    let looked = many::each(files, |file| Looked::at(file, rule, &selector));
    let looked: Vec<Looked> = looked.into_iter().filter_map(|(it, _)| it).collect();
    let mut found = Vec::new();
    if let Some(file) = looked.iter().position(|it| it.hides_manifest) {
        let count = looked.iter().filter(|it| it.hides_manifest).count();
        let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        let name = shown(&paths::from_here(&looked[file].file));
        let what = format!(
            "it encrypts apiVersion, kind and metadata of Kubernetes manifests ({name}{more}), which kubectl and \
             Argo CD must read; add `encrypted_regex: ^(data|stringData)$`"
        );
        found.push(("warning", what));
    }
    if !looked.is_empty() && looked.iter().all(|it| it.selected == 0) {
        let (field, text) = selector.field();
        found.push(("note", format!("{field} {text:?} selects nothing in the {} files it governs", looked.len())));
    }
    found
}

struct Looked {
    file: PathBuf,
    hides_manifest: bool,
    selected: usize,
}

impl Looked {
    fn at(file: &Path, rule: &CreationRule, selector: &Selector) -> Option<Self> {
        let format = format::choose(None, file);
        if !format.edits_in_place() {
            return None;
        }
        let mut doc: Document = format.parse(files::read(file, LIMIT).ok()?).ok()?;
        format.take_metadata(&mut doc).ok()?;
        let hides_manifest = inspect::hides_manifest(&doc, &rule.policy);
        let selected = sops::survey(&mut doc, selector).selected();
        Some(Self { file: file.to_owned(), hides_manifest, selected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_say_more_than_they_look() {
        let cases = [
            (r"\.secret\.yaml$", 0),
            (r"^secrets/.*\.yaml$", 0),
            (r".*.secret.yaml$", 1),
            (r".*\.enc\.yaml", 1),
            (r"secrets/.*", 1),
            (r"[.]enc[.]yaml$", 0),
            (r"secret.yaml", 3),
            (r"\.(yaml|json)$", 0),
        ];
        for (source, count) in cases {
            assert_eq!(pattern(source).len(), count, "{source}: {:?}", pattern(source));
        }
    }
}
