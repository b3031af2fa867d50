//! What a change of the rules does to the files that are tracked: a rule that protects less is itself a breach.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};
use keys::{KeyError, same_recipient, short_recipient};
use scan::{Confidence, Severity};
use sops::{Look, Policy, Selector, look};

use crate::breach::{Breach, Kind, RulePlace};
use crate::file::{format_of, is_encrypted, shell_word};
use crate::reach::{Asked, by_path};
use crate::rules::{Cover, Loaded, Rules, Tree};

/// A file of the repository.
#[derive(Clone, Copy, Debug)]
pub struct Tracked<'a> {
    /// Path from the repository's root, with `/`.
    pub path: &'a [u8],
    /// Its bytes, where the caller has them: then files under a rule for everything are told apart, and a changed
    /// selector is judged by what it does to the file's values.
    pub bytes: Option<&'a [u8]>,
}

/// Paths that are named in a message.
const NAMED: usize = 3;

/// What a change does to files, by kind, place and effect; with the files.
type Effects<'a> = BTreeMap<(Kind, BString, usize, String), (Option<RulePlace>, Severity, Confidence, Vec<&'a [u8]>)>;

impl Rules {
    /// Says what is wrong with the rules themselves, and, if there is a base, with their change: files or values that
    /// they stop covering, recipients that they add. `tracked` are the files of the repository.
    pub fn check_rules(&self, tracked: &[Tracked<'_>]) -> Vec<Breach> {
        let mut found: Vec<Breach> = self.now.files().filter_map(broken).collect();
        if let Some(base) = &self.base {
            found.extend(self.deleted(base, tracked));
            let mut effects = Effects::new();
            tracked.iter().for_each(|file| self.compare(base, file, &mut effects));
            found.extend(effects.into_iter().map(|((kind, path, line, what), (rule, severity, sure, files))| {
                let message = format!("{what}: {}", list(&files));
                let breach = Breach::of_file(kind, &path, message).at_place(Some((line, 1))).by(rule).about(what);
                breach.bad(severity).sure(sure).next(next_of(kind))
            }));
            found.extend(self.added_recipients(base));
        }
        found.sort_by(|one, other| one.order().cmp(&other.order()));
        found.dedup_by(|one, other| one.order() == other.order());
        found
    }

    fn deleted(&self, base: &Tree, tracked: &[Tracked<'_>]) -> Vec<Breach> {
        let gone = base.files().filter(|file| has_rules(file) && self.now.governing(&file.path).is_none());
        let one = |file: &Loaded| {
            let covered: Vec<&[u8]> = tracked.iter().filter(|it| governs(base, file, it)).map(|it| it.path).collect();
            let count = if covered.is_empty() { "it covered no tracked file".to_owned() } else { list(&covered) };
            let message = format!("the file was removed, and with it the creation rules for {count}");
            let message = if covered.is_empty() { format!("the file was removed; {count}") } else { message };
            let severity = if covered.is_empty() { Severity::Low } else { Severity::High };
            Breach::of_file(Kind::RulesDeleted, &file.path, message)
                .bad(severity)
                .next("put it back, or move its rules")
        };
        gone.map(one).collect()
    }

    /// What the change does to one file.
    fn compare<'a>(&self, base: &Tree, file: &Tracked<'a>, effects: &mut Effects<'a>) {
        let Some(before) = base.cover(file.path).filter(|cover| is_meant(cover, file)) else { return };
        let rule = Some(RulePlace { before: true, ..before.place() });
        let mut add = |kind: Kind, at: (BString, usize), what: String, severity: Severity, sure: Confidence| {
            let slot = effects.entry((kind, at.0, at.1, what));
            slot.or_insert_with(|| (rule.clone(), severity, sure, Vec::new())).3.push(file.path);
        };
        let Some(after) = self.now.cover(file.path) else {
            // A configuration that is gone or broken is told once, not per file.
            let Some(governing) = self.now.governing(file.path).filter(|file| file.config.is_some()) else { return };
            let at = (governing.path.clone(), nearest_line(governing, &before));
            let what = "no creation rule covers these tracked files any more".to_owned();
            return add(Kind::RuleNarrowed, at, what, Severity::High, Confidence::High);
        };
        let at = || (after.config.to_owned(), after.rule.line);
        if is_weaker(by_path(before.reach, file.path), by_path(after.reach, file.path)) {
            let what =
                "the creation rule matches ordinary files now and no longer says that these are secrets".to_owned();
            add(Kind::RuleNarrowed, at(), what, Severity::Medium, Confidence::Medium);
        }
        for (what, severity) in weakened(before.policy(), after.policy()) {
            add(Kind::RuleNarrowed, at(), what, severity, Confidence::High);
        }
        if let Some((what, sure)) = narrowed(&before, &after, file) {
            add(Kind::RuleNarrowed, at(), what, Severity::High, sure);
        }
        for name in self.new_recipients(before.policy(), after.policy()) {
            let what = format!("the change lets {} read more files", short_recipient(name));
            add(Kind::RuleRecipientAdded, at(), what, Severity::Medium, Confidence::Medium);
        }
    }

    fn new_recipients<'p>(&self, before: &Policy, after: &'p Policy) -> Vec<&'p str> {
        let known = |name: &&str| {
            let accepted = self.accepted.iter().map(String::as_str);
            before.recipients().chain(accepted).any(|other| same_recipient(other, name))
        };
        let mut new: Vec<&str> = after.recipients().filter(|name| !known(name)).collect();
        new.extend(after.foreign.iter().map(String::as_str).filter(|name| !before.foreign.iter().any(|it| it == name)));
        new
    }

    /// Recipients added to a rule that has its path_regex from before, whether or not it covers a tracked file yet.
    fn added_recipients(&self, base: &Tree) -> Vec<Breach> {
        let mut found = Vec::new();
        for file in self.now.files() {
            let before = base.file(file.path.as_bstr()).map_or(&[][..], rules_of);
            for rule in rules_of(file) {
                let Some(old) = before.iter().find(|old| old.path_regex == rule.path_regex) else { continue };
                for name in self.new_recipients(&old.policy, &rule.policy) {
                    let what = format!("the change lets {} read more files", short_recipient(name));
                    let place = RulePlace { path: file.path.clone(), line: rule.line, before: false };
                    let breach = Breach::of_file(Kind::RuleRecipientAdded, &file.path, what.clone()).about(what);
                    let breach = breach.at_place(Some((rule.line, 1))).by(Some(place)).sure(Confidence::Medium);
                    found.push(breach.next(next_of(Kind::RuleRecipientAdded)));
                }
            }
        }
        found
    }
}

fn next_of(kind: Kind) -> &'static str {
    match kind {
        Kind::RuleRecipientAdded => "let somebody review who is added; then accept it by name",
        _ => "keep the old rule until the files are gone or moved, or let somebody review the change",
    }
}

fn broken(file: &Loaded) -> Option<Breach> {
    let error = file.error.as_ref()?;
    let is_identity = error.what == KeyError::SecretAsRecipient.to_string();
    let kind = if is_identity { Kind::IdentityAsRecipient } else { Kind::RulesBroken };
    let next = match (&error.hint, is_identity) {
        (_, true) => "put the public key there, make a new key pair, and encrypt the files anew".to_owned(),
        (Some(hint), _) => hint.clone(),
        (None, _) => format!("plomb config check {}", shell_word(&file.path)),
    };
    let breach = Breach::of_file(kind, &file.path, error.what.clone()).at_place(error.at).next(next);
    let unusable = file.config.is_none() && !is_identity;
    let harmless = file.config.is_some() && !is_identity;
    let breach = if harmless { breach.sure(Confidence::Medium) } else { breach };
    Some(if unusable { breach.bad(Severity::High) } else { breach })
}

fn rules_of(file: &Loaded) -> &[sops::CreationRule] {
    file.config.as_ref().and_then(|config| config.creation_rules.as_deref()).unwrap_or_default()
}

fn has_rules(file: &Loaded) -> bool {
    !rules_of(file).is_empty()
}

fn governs(base: &Tree, config: &Loaded, file: &Tracked<'_>) -> bool {
    let cover = base.cover(file.path).filter(|cover| cover.config == config.path.as_bstr());
    cover.is_some_and(|cover| is_meant(&cover, file))
}

/// Whether the rule means the file: it says so by the path, or the file is encrypted.
fn is_meant(cover: &Cover<'_>, file: &Tracked<'_>) -> bool {
    let by_name = matches!(by_path(cover.reach, file.path), Some(Asked::Yes(sure)) if sure > Confidence::Low);
    by_name || file.bytes.is_some_and(|bytes| is_encrypted(file.path, bytes))
}

fn is_weaker(before: Option<Asked>, after: Option<Asked>) -> bool {
    matches!(before, Some(Asked::Yes(_))) && !matches!(after, Some(Asked::Yes(_)))
}

/// Threshold and MAC scope.
fn weakened(before: &Policy, after: &Policy) -> Vec<(String, Severity)> {
    let needed = |policy: &Policy| policy.threshold.unwrap_or(policy.groups.len()).clamp(1, policy.groups.len().max(1));
    let mut found = Vec::new();
    if needed(after) < needed(before) {
        let what = format!("{} key groups open the files instead of {}", needed(after), needed(before));
        found.push((what, Severity::High));
    }
    if after.mac_only_encrypted && !before.mac_only_encrypted {
        found.push(("the MAC no longer covers values in clear".to_owned(), Severity::Medium));
    }
    found
}

/// Whether the new selector leaves out what the old one covers: by the file's values where they are at hand.
fn narrowed(before: &Cover<'_>, after: &Cover<'_>, file: &Tracked<'_>) -> Option<(String, Confidence)> {
    let (old, new) = (before.selector(), after.selector());
    if old == new || !document::format::for_path(file.path).edits_in_place() {
        return None;
    }
    let ((field, text), (was, before)) = (new.field(), old.field());
    let what = format!("values that {was} {before} covered are not covered by {field} {text}");
    match file.bytes.map(|bytes| uncovered(bytes, file.path, &old, &new)) {
        Some(0) => None,
        Some(_) => Some((what, Confidence::High)),
        None => Some((format!("the selector changed from {was} {before} to {field} {text}"), Confidence::Medium)),
    }
}

/// How many values the old selector names and the new one does not.
fn uncovered(bytes: &[u8], path: &[u8], old: &Selector, new: &Selector) -> usize {
    let named = |selector: &Selector| {
        let mut offsets = Vec::new();
        let mut take = |met: &sops::Met<'_>| {
            if met.selected && met.found != sops::Found::Nothing {
                offsets.push(met.offset);
            }
        };
        match look(bytes, format_of(path, bytes)) {
            Look::Encrypted(mut encrypted) => encrypted.each_value(selector, &mut take),
            Look::Plain(mut doc) => sops::each_value(&mut doc, selector, &mut take),
            Look::Broken(_) | Look::Unreadable(_) => {}
        }
        offsets
    };
    let new: std::collections::HashSet<u32> = named(new).into_iter().collect();
    named(old).into_iter().filter(|offset| !new.contains(offset)).count()
}

/// The line of the rule that took the place of an old one, as far as that can be told: same recipients, else the
/// first line.
fn nearest_line(file: &Loaded, before: &Cover<'_>) -> usize {
    let same_file = file.path.as_bstr() == before.config;
    let same = rules_of(file).iter().find(|rule| rule.policy.groups == before.policy().groups);
    same.filter(|_| same_file).map_or(1, |rule| rule.line)
}

fn list(files: &[&[u8]]) -> String {
    let name = |path: &&[u8]| shell_word(BStr::new(path));
    let named: Vec<String> = files.iter().take(NAMED).map(name).collect();
    let more = files.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}
