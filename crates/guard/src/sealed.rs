//! A file with a `sops` block: is everything encrypted that must be, and does it hold together?

use document::Step;
use memchr::memmem;
use scan::{Confidence, Severity};
use sops::{Encrypted, Found, Look, Metadata, Selector, SopsError, ValueError, check_shape};

use crate::breach::{Breach, Kind, shown_path};
use crate::file::Case;
use crate::readers;
use crate::tokens::{Ledger, Moves};
use crate::values::{By, ClearValues, LISTED, add_clear, breaches, heads};

const AGAIN: &str = "put the old version back and make the change with plomb edit or plomb set; \
                     if the value was pushed, change it at its source";

/// Checks a file whose block can be used.
pub(crate) fn check(case: &mut Case<'_>, mut encrypted: Encrypted) -> Vec<Breach> {
    let mut found = block(case, encrypted.metadata());
    if encrypted.document().format.edits_in_place() {
        found.extend(values(case, &mut encrypted));
    } else {
        found.extend(whole(case, &mut encrypted));
    }
    found.extend(readers::check(case, encrypted.metadata()));
    found
}

/// The breach of a file whose block cannot be used.
pub(crate) fn broken(case: &Case<'_>, error: &SopsError) -> Breach {
    let at = match error {
        SopsError::MetadataAt { at, .. } => Some(*at),
        SopsError::Format(error) => error.at,
        _ => None,
    };
    let span = at.is_none().then(|| case.lines.at(block_start(case)));
    let breach = case.breach(Kind::MetadataBroken, error.to_string()).at_place(at);
    let breach = span.map_or(breach.clone(), |span| breach.at(span));
    let rule = case.covers.first().map(crate::rules::Cover::place);
    breach.by(rule).next("take the sops block from an older version, or encrypt the file again")
}

/// Where the block begins, roughly: for errors that do not say.
fn block_start(case: &Case<'_>) -> usize {
    let heads: [&[u8]; 5] = [b"\nsops:", b"\"sops\"", b"[sops]", b"\nsops_", b"'sops'"];
    let at = heads.iter().find_map(|head| Some((memmem::rfind(case.bytes, head)?, *head)));
    at.map_or(0, |(at, head)| at + usize::from(head.starts_with(b"\n")))
}

/// What the block itself lacks.
fn block(case: &Case<'_>, metadata: &Metadata) -> Vec<Breach> {
    let start = case.lines.at(block_start(case));
    let fault = |what: String| {
        let next = "take the sops block from an older version, or encrypt the file again";
        case.breach(Kind::MetadataBroken, what).at(start).next(next)
    };
    let mut found = Vec::new();
    match &metadata.mac {
        None => found.push(fault("the sops block has no MAC: it was removed, or the file was cut".to_owned())),
        Some(mac) => {
            if let Err(error) = check_shape(mac.as_bytes()) {
                found.push(fault(format!("the MAC in the sops block {}", of_token(error))).about("mac"));
            }
        }
    }
    if metadata.groups.iter().all(|group| group.age.is_empty() && group.foreign().is_empty()) {
        found.push(fault("the sops block lists no keys: nobody can decrypt the file".to_owned()).about("keys"));
    }
    if let Some(Look::Encrypted(was)) = &case.was
        && was.metadata().lastmodified.0 > metadata.lastmodified.0
    {
        let what = "the file is older than the one that it replaces: an earlier version was put back";
        let breach = case.breach(Kind::RolledBack, what).at(start).sure(Confidence::Low);
        found.push(breach.next("make sure that the old values are meant"));
    }
    found
}

fn of_token(error: ValueError) -> &'static str {
    match error {
        ValueError::UnknownType => "is a token of unknown type",
        _ => "is a damaged token",
    }
}

/// A binary file: its one value is the token.
fn whole(case: &Case<'_>, encrypted: &mut Encrypted) -> Vec<Breach> {
    let mut found = Vec::new();
    encrypted.each_value(&Selector::default(), &mut |met| match met.found {
        _ if met.bound_to() != b"data:" => {}
        Found::Clear => found.push(case.breach(Kind::ValueInClear, "the data of the file stands in clear").next(AGAIN)),
        Found::Damaged(error) => {
            let what = format!("the data of the file {error}");
            found.push(case.breach(Kind::TokenBroken, what).next("take the file from an older version"));
        }
        Found::Token | Found::Nothing => {}
    });
    found
}

fn values(case: &mut Case<'_>, encrypted: &mut Encrypted) -> Vec<Breach> {
    let own = encrypted.metadata().selector.clone();
    let mut clear = ClearValues::new();
    let by =
        By { weights: None, rule: None, skip_heads: false, why: "the file's own sops block says that it is encrypted" };
    add_clear(&mut clear, encrypted.document_mut(), &own, &by);
    for cover in &case.covers {
        // A rule that names no selector leaves the choice to who encrypts.
        let Some(selector) = cover.policy().selector.as_ref().filter(|selector| **selector != own) else { continue };
        let place = cover.place();
        let by = By {
            weights: None,
            rule: Some(&place),
            skip_heads: false,
            why: "a creation rule says that it is encrypted",
        };
        add_clear(&mut clear, encrypted.document_mut(), selector, &by);
    }
    let old = match &mut case.was {
        Some(Look::Encrypted(was)) if was.document().format.edits_in_place() => {
            let mac = was.metadata().mac.clone();
            let only = was.metadata().mac_only_encrypted;
            Some((Ledger::of(was, only), mac))
        }
        _ => None,
    };
    let only_tokens = encrypted.metadata().mac_only_encrypted;
    let ledger = Ledger::of(encrypted, only_tokens);
    // Where the present rule says the very same, the file was brought to its rule; the old rule was asked above.
    let as_ruled = case.covers.iter().any(|cover| !cover.before && cover.policy().selector.as_ref() == Some(&own));
    if let Some((old, _)) = old.as_ref().filter(|_| !as_ruled) {
        old.add_opened(&mut clear, encrypted);
    }
    let mut found = breaches(clear.iter(), case.path, &case.lines, AGAIN);
    found.extend(nothing_encrypted(case, encrypted, &own));
    found.extend(damaged(case, encrypted, &own));
    let mac = encrypted.metadata().mac.as_ref();
    let stale = old.as_ref().is_some_and(|(old, was)| was.as_ref() == mac && old.content != ledger.content);
    found.extend(moved(case, &ledger.moves(old.as_ref().map(|(old, _)| old))));
    if stale && found.is_empty() {
        found.push(stale_mac(case, mac.map_or("", String::as_str)));
    }
    found
}

/// A block over a file whose selector names nothing: it looks encrypted and none of it is. SOPS makes such files
/// without a word when a regular expression matches no key.
fn nothing_encrypted(case: &Case<'_>, encrypted: &mut Encrypted, own: &Selector) -> Option<Breach> {
    let heads = heads(encrypted.document());
    let (mut selected, mut clear) = (false, None);
    encrypted.each_value(own, &mut |met| {
        selected |= met.selected;
        let is_head =
            || matches!(met.path().0.first(), Some(Step::Key(key)) if heads.contains(&(met.document(), key.clone())));
        if clear.is_none() && met.found == Found::Clear && !is_head() {
            clear = Some(met.offset);
        }
    });
    let offset = clear.filter(|_| !selected)?;
    let (field, text) = own.field();
    let message =
        format!("the file has a sops block and none of its values is encrypted: {field} {text} selects nothing");
    let rule = case.claims.first().map(|claim| claim.rule.clone());
    let breach = case.breach(Kind::NotEncrypted, message).at(case.lines.at(offset as usize)).by(rule);
    // Every key bears the suffix: somebody wrote it there.
    let meant = *own == Selector::default();
    let breach = breach.sure(if meant { Confidence::Low } else { Confidence::High });
    Some(breach.next("remove the sops block, repair the selector, and encrypt the file again"))
}

fn damaged(case: &Case<'_>, encrypted: &mut Encrypted, own: &Selector) -> Vec<Breach> {
    let mut found = Vec::new();
    encrypted.each_value(own, &mut |met| {
        let Found::Damaged(error) = met.found else { return };
        if !met.selected || found.len() == LISTED {
            return;
        }
        let shown = shown_path(&met.path());
        let breach = case.breach(Kind::TokenBroken, format!("the value {shown} {error}"));
        let breach = breach.at(case.lines.at(met.offset as usize)).on(met.document(), met.path());
        found.push(breach.next("take the value from an older version of the file"));
    });
    found
}

fn moved(case: &Case<'_>, moves: &[Moves]) -> Vec<Breach> {
    let one = |moved: &Moves| {
        let (kind, severity) =
            if moved.retyped { (Kind::TokenBroken, Severity::High) } else { (Kind::TokenMoved, Severity::Medium) };
        let what = match moved.retyped {
            true => "has the ciphertext of before the change under another type",
            false => "holds a token that was made for another key: it does not decrypt here",
        };
        let breach = case.breach(kind, format!("the value {} {what}", moved.shown)).bad(severity);
        let breach = breach.at(case.lines.at(moved.offset as usize)).about(moved.shown.clone());
        breach.next("rename, copy and change encrypted values with plomb edit")
    };
    moves.iter().take(LISTED).map(one).collect()
}

fn stale_mac(case: &Case<'_>, mac: &str) -> Breach {
    let at = memmem::find(case.bytes, mac.as_bytes()).unwrap_or_default();
    let what =
        "values were changed, added, removed or moved, and the MAC is the one of before: the file does not decrypt";
    let next = "put the old version back and make the change with plomb edit or plomb set";
    case.breach(Kind::MacStale, what).at(case.lines.at(at)).next(next)
}
