//! Who can read a file, against whom its creation rule names.

use keys::{WrappedKey, same_recipient, short_recipient};
use memchr::memmem;
use scan::{Confidence, Severity, Span};
use sops::{Group, Look, Metadata, Policy};

use crate::breach::{Breach, Kind};
use crate::file::{Case, shell_word};
use crate::rules::Cover;
use crate::values::LISTED;

/// Compares a file's block with the rule that covers it: the present one, or the old one where none does any more.
pub(crate) fn check(case: &Case<'_>, metadata: &Metadata) -> Vec<Breach> {
    let mut found = entries(case, metadata);
    match case.covers.first() {
        Some(cover) => found.extend(against(case, metadata, cover)),
        None => found.extend(added(case, metadata)),
    }
    found
}

/// Where the file names a recipient, or the block begins.
fn place(case: &Case<'_>, name: &str) -> Span {
    let at = memmem::rfind(case.bytes, name.as_bytes()).or_else(|| memmem::rfind(case.bytes, b"lastmodified"));
    case.lines.at(at.unwrap_or_default())
}

/// Wrapped keys that nobody can open.
fn entries(case: &Case<'_>, metadata: &Metadata) -> Vec<Breach> {
    let mut found = Vec::new();
    for key in metadata.groups.iter().flat_map(|group| &group.age) {
        let Err(error) = WrappedKey::parse(&key.enc) else { continue };
        if found.len() == LISTED {
            break;
        }
        // With both ends there it was not cut by hand; what is wrong inside matters to its reader only.
        let whole = ["-----BEGIN AGE ENCRYPTED FILE-----", "-----END AGE ENCRYPTED FILE-----"];
        let whole = whole.iter().all(|end| key.enc.contains(end));
        let who = short_recipient(&key.recipient);
        let breach =
            case.breach(Kind::KeyEntryBroken, format!("the wrapped data key of {who} cannot be read: {error}"));
        let breach = breach.at(place(case, &key.recipient)).about(who);
        let sure = if whole { Confidence::Low } else { Confidence::Medium };
        found.push(breach.sure(sure).next(format!("plomb updatekeys {}", shell_word(case.path))));
    }
    found
}

fn against(case: &Case<'_>, metadata: &Metadata, cover: &Cover<'_>) -> Vec<Breach> {
    let policy = cover.policy();
    let breach = |kind: Kind, what: String| {
        let next = format!("plomb updatekeys {}, if {} is right", shell_word(case.path), cover.config);
        case.breach(kind, what).by(Some(cover.place())).next(next)
    };
    let mut found = Vec::new();
    for name in metadata.recipients().filter(|name| !names(policy.recipients(), name)).take(LISTED) {
        let who = short_recipient(name);
        let what = format!("{who} can read the file, and the creation rule at {} does not name it", cover.place());
        found.push(breach(Kind::RecipientUnlisted, what).at(place(case, name)).about(who));
    }
    for name in policy.recipients().filter(|name| !names(metadata.recipients(), name)) {
        let who = short_recipient(name);
        let what = format!("{who} cannot read the file, and the creation rule at {} names it", cover.place());
        // Nothing is given away: `status` shows it, a commit need not wait for it; unless it locks a reader out.
        let was_reader = matches!(&case.was, Some(Look::Encrypted(was)) if names(was.metadata().recipients(), name));
        let sure = if was_reader { Confidence::Medium } else { Confidence::Low };
        found.push(breach(Kind::RecipientMissing, what).at(place(case, "")).about(who).sure(sure));
    }
    for entry in metadata.groups.iter().flat_map(Group::foreign).filter(|entry| !is_listed(policy, entry)).take(LISTED)
    {
        let what = format!("{entry} can read the file, and the creation rule at {} does not name it", cover.place());
        found.push(breach(Kind::RecipientUnlisted, what).at(place(case, "")).about(entry));
    }
    if let Some(what) = groups(metadata, policy) {
        found.push(breach(Kind::GroupDrift, what).at(place(case, "shamir_threshold")));
    }
    found.extend(selector(case, metadata, policy).map(|what| {
        let next = "decrypt the file and encrypt it again, if the rule is right";
        breach(Kind::SelectorDrift, what).sure(Confidence::Low).next(next)
    }));
    found
}

fn names<'n>(mut list: impl Iterator<Item = &'n str>, name: &str) -> bool {
    list.any(|other| same_recipient(other, name))
}

/// Whether a rule names the entry `kind: identifier` of another key kind. Rules spell the kinds of some services and
/// their identifiers in other ways than files do: there the kind is enough.
fn is_listed(policy: &Policy, entry: &str) -> bool {
    let (kind, id) = entry.split_once(": ").unwrap_or((entry, ""));
    let field = match kind {
        "azure_kv" => "azure_k",
        "hc_vault" => "hc_vault",
        other => other,
    };
    let by_id = matches!(kind, "pgp" | "kms" | "gcp_kms");
    policy.foreign.iter().any(|listed| {
        let (listed, listed_id) = listed.split_once(": ").unwrap_or((listed, ""));
        let same = || {
            let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
            let (listed, id) = (plain(listed_id), plain(id));
            listed_id == "entry" || listed.starts_with(&id) || id.ends_with(&listed)
        };
        listed.starts_with(field) && (!by_id || (listed == kind && same()))
    })
}

/// How key groups and threshold differ.
fn groups(metadata: &Metadata, policy: &Policy) -> Option<String> {
    let (has, should) = (metadata.groups.len(), policy.groups.len());
    if has != should {
        let plural = if has == 1 { "" } else { "s" };
        return Some(format!("the file has {has} key group{plural}, and its creation rule {should}"));
    }
    let needed = policy.threshold.unwrap_or(should).clamp(1, should.max(1));
    let differs = should > 1 && metadata.needed_groups() != needed;
    differs
        .then(|| format!("{} key groups open the file, and its creation rule wants {needed}", metadata.needed_groups()))
}

fn selector(case: &Case<'_>, metadata: &Metadata, policy: &Policy) -> Option<String> {
    let wanted = policy.selector.as_ref().filter(|_| case.format.edits_in_place() && !case.is_resource)?;
    let ((field, text), (should, be)) = (metadata.selector.field(), wanted.field());
    (metadata.selector != *wanted)
        .then(|| format!("the file is encrypted by {field} {text}, and its creation rule says {should} {be}"))
}

/// Without a rule only the old version can tell that somebody was added.
fn added(case: &Case<'_>, metadata: &Metadata) -> Vec<Breach> {
    let Some(Look::Encrypted(was)) = &case.was else { return Vec::new() };
    let new = metadata.recipients().filter(|name| !names(was.metadata().recipients(), name));
    let one = |name: &str| {
        let who = short_recipient(name);
        let what = format!("{who} was added to the readers of the file, and no creation rule says who may read it");
        let breach = case.breach(Kind::RecipientUnlisted, what).at(place(case, name)).about(who);
        breach.bad(Severity::Medium).sure(Confidence::Low).next("write a creation rule for the file: plomb init")
    };
    new.take(LISTED).map(one).collect()
}
