//! What was said so far: the published chain, as far as it is believed, and what the key Secrets remember beyond it.

use super::chain::Chain;
use super::lifecycle::World;
use super::record::{KeyRecord, KeyState};
use super::signing::StatementKey;
use super::statement::{MAX_STATEMENTS, Statement};

/// A statement in a key Secret that a key here signed, with its digest.
struct Own<'w> {
    digest: String,
    statement: &'w Statement,
    record: &'w KeyRecord,
}

/// How one of our own statements stands to what is published.
enum Path<'w> {
    /// These follow it.
    Onward(Vec<&'w Statement>),
    /// These stand alone: what is published ends too early for them.
    Alone(Vec<&'w Statement>),
    /// These begin apart from what is published: another chain.
    Apart(Vec<&'w Statement>),
    /// Something else was published in its place.
    Overtaken,
}

impl<'w> World<'w> {
    /// Everything that was said, oldest first. The chain only ever grows: a ConfigMap that was deleted, damaged or set
    /// back is made whole again from the Secrets.
    pub(super) fn said(&self) -> Vec<Statement> {
        let older = self.older();
        let published = older.as_deref().unwrap_or_else(|| self.trusted());
        let (digests, own) = self.beside(published);
        let winner = self.winner().map(|winner| &winner.name);
        let rank = |own: &Own<'_>| {
            let active = own.record.state == KeyState::Active;
            (own.statement.number, Some(&own.record.name) == winner, active)
        };
        let mut tips: Vec<&Own<'w>> = own.iter().collect();
        tips.sort_by_key(|own| std::cmp::Reverse(rank(own)));
        let found = tips.into_iter().find_map(|tip| match path(tip, &own, &digests, published) {
            Path::Onward(path) => Some((published, path)),
            Path::Alone(path) => Some((&[] as &[Statement], path)),
            Path::Apart(_) | Path::Overtaken => None,
        });
        let (before, path) = found.unwrap_or((published, Vec::new()));
        let mut all: Vec<Statement> = before.iter().chain(path).cloned().collect();
        all.drain(..all.len().saturating_sub(MAX_STATEMENTS));
        all
    }

    /// A chain of our own that was begun apart from the published one and before it: keys were restored after a first one
    /// had been made by mistake. People pinned the older chain, so it goes on, and the younger one ends. Nothing but a
    /// published chain that is known from its first statement on can be called the younger one, and nothing but an active
    /// key brings the older one back: keys are restored one by one, and an old one alone must not speak for all.
    pub(super) fn older(&self) -> Option<Vec<Statement>> {
        let published = self.trusted();
        let begun = published.first().filter(|first| first.number == 1)?.created()?;
        let (digests, own) = self.beside(published);
        let mut tips: Vec<&Own<'w>> = own.iter().filter(|own| own.record.state == KeyState::Active).collect();
        tips.sort_by(|a, b| (b.statement.number, &b.digest).cmp(&(a.statement.number, &a.digest)));
        let paths = tips.into_iter().filter_map(|tip| match path(tip, &own, &digests, published) {
            Path::Alone(path) | Path::Apart(path) => Some(path),
            Path::Onward(_) | Path::Overtaken => None,
        });
        let is_older = |path: &Vec<&Statement>| path[0].created().is_some_and(|created| created.0 < begun.0);
        let mut paths = paths.filter(is_older);
        paths.next().map(|path| path.into_iter().cloned().collect())
    }

    /// The digests of the published statements, and our own that are not among them.
    fn beside(&self, published: &[Statement]) -> (Vec<String>, Vec<Own<'w>>) {
        let digests: Vec<String> = published.iter().map(Statement::digest).collect();
        let own = self.own().filter(|own| !digests.contains(&own.digest)).collect();
        (digests, own)
    }

    /// The published chain, if it is one and a key here signs its newest statement: else somebody else wrote it.
    fn trusted(&self) -> &'w [Statement] {
        let statements = &self.published.statements;
        let is_ours = statements.last().is_some_and(|newest| self.signer(&newest.statement_key).is_some());
        if is_ours && Chain::verify(statements.clone()).is_ok() { statements } else { &[] }
    }

    fn own(&self) -> impl Iterator<Item = Own<'w>> + '_ {
        let all = self.records.iter().flat_map(|record| record.statements.iter().map(move |it| (record, it)));
        let good = all.filter(|(_, it)| self.signer(&it.statement_key).is_some() && it.check().is_ok());
        good.map(|(record, statement)| Own { digest: statement.digest(), statement, record })
    }

    /// The private half of a statement key, if it is in a key Secret here.
    pub(super) fn signer(&self, public: &str) -> Option<&'w StatementKey> {
        let mut keys = self.records.iter().filter_map(|record| record.signing.as_ref());
        keys.find(|key| key.public() == public)
    }

    /// Whether every key Secret with this statement key is revoked, or about to be: somebody else may have it.
    pub(super) fn is_burnt(&self, key: &StatementKey) -> bool {
        let public = key.public();
        let mut owners = self.records.iter().filter(|it| it.statement_key().as_ref() == Some(&public));
        owners.all(|record| record.revoke || record.state == KeyState::Revoked)
    }
}

/// From `tip` back through our own statements to the end of the published ones, or to where nothing is known.
fn path<'w>(tip: &Own<'w>, own: &[Own<'w>], digests: &[String], published: &[Statement]) -> Path<'w> {
    let mut path = vec![tip.statement];
    while let Some(previous) = path[0].previous.as_ref().filter(|_| path.len() <= MAX_STATEMENTS) {
        if let Some(at) = digests.iter().position(|digest| digest == previous) {
            let follows = at + 1 == digests.len() && path[0].check_after(&published[at]).is_ok();
            return if follows { Path::Onward(path) } else { Path::Overtaken };
        }
        let before = own.iter().find(|own| own.digest == *previous).map(|own| own.statement);
        match before.filter(|before| path[0].check_after(before).is_ok()) {
            Some(before) => path.insert(0, before),
            None => break,
        }
    }
    let beyond = published.last().is_none_or(|last| path[0].number > last.number.saturating_add(1));
    if beyond { Path::Alone(path) } else { Path::Apart(path) }
}
