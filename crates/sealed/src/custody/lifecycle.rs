//! What to do about the keys next: a pure decision over what is there. Every step leaves a state from which the next
//! call goes on, so that a crash between any two writes is mended by deciding again.

use std::collections::BTreeMap;

use sops::Timestamp;

use super::escrow::{self, EscrowState, Recovery};
use super::published::Published;
use super::record::{KeyRecord, KeyState, KeyType, RecordError};
use super::statement::{Cluster, Statement};
use super::step::{Step, WaitReason};
use super::usage::{Named, Usage};

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// Whether a first key may be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bootstrap {
    /// Only if there is no trace of a key that was there before.
    #[default]
    Auto,
    /// Never: the key is restored or brought.
    Wait,
    /// Whenever none is active.
    New,
}

/// What the controller was started with.
#[derive(Debug)]
pub struct Settings {
    /// What the names of Secrets and ConfigMap begin with.
    pub name: String,
    /// The controller's namespace.
    pub namespace: String,
    /// Whether a first key may be made.
    pub bootstrap: Bootstrap,
    /// The kind of new keys.
    pub key_type: KeyType,
    /// Age in seconds after which an active key is replaced; 0: never.
    pub renew_after: i64,
    /// Seconds without use after which a key may be given up.
    pub retire_after: i64,
    /// Who can open the escrow.
    pub recovery: Recovery,
}

impl Default for Settings {
    /// 90 days, 30 days, nobody.
    fn default() -> Self {
        Self {
            name: "plomb".to_owned(),
            namespace: "plomb-system".to_owned(),
            bootstrap: Bootstrap::Auto,
            key_type: KeyType::X25519,
            renew_after: 90 * DAY,
            retire_after: 30 * DAY,
            recovery: Recovery::default(),
        }
    }
}

/// Everything that a decision needs, read from the API server just before.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The start arguments.
    pub settings: &'a Settings,
    /// The key Secrets that could be read.
    pub records: &'a [KeyRecord],
    /// Those that could not.
    pub unreadable: &'a [RecordError],
    /// What is published.
    pub published: &'a Published,
    /// Which keys resources need.
    pub usage: &'a Usage,
    /// Now.
    pub now: Timestamp,
}

/// What to do, in this order. Nothing but reports: everything is as it should be.
pub fn decide(world: &World<'_>) -> Vec<Step> {
    if !world.unreadable.is_empty() {
        return vec![Step::Wait(WaitReason::Unreadable(world.unreadable.to_vec()))];
    }
    let Some(winner) = world.winner() else { return world.first_key() };
    let ended = world.ended(winner);
    if !ended.is_empty() {
        return ended;
    }
    let Some(chain) = world.chain() else { return vec![Step::Restate { secret: winner.name.clone() }] };
    if chain != world.published.statements || world.published.damaged {
        return vec![Step::Publish];
    }
    if world.escrow() == EscrowState::Due {
        return vec![Step::Escrow];
    }
    if winner.revoke {
        return vec![Step::Make { successor: true }];
    }
    let others = world.records.iter().filter(|record| record.name != winner.name);
    let mut steps: Vec<Step> = others.flat_map(|record| world.about_older(record)).collect();
    if !steps.iter().any(Step::is_write) && world.is_due(winner) {
        return vec![Step::Make { successor: false }];
    }
    // Whoever may make a resource can make a key needed: that is said, and holds up nothing.
    steps.extend(world.missed().into_iter().map(|(recipient, needed_by)| Step::Miss { recipient, needed_by }));
    steps
}

impl<'w> World<'w> {
    /// The key that files are wrapped to: the newest active one, also while it is about to be revoked; one of the chain
    /// that goes on before one of a chain that ends. Whoever looks earlier or later must come to the same answer, or two
    /// leaders would put each other's key out of use.
    pub fn winner(&self) -> Option<&'w KeyRecord> {
        let older = self.older().unwrap_or_default();
        let goes_on = |record: &KeyRecord| record.statements.iter().any(|statement| older.contains(statement));
        let is_newest = |record: &KeyRecord| self.published.recipient() == Some(record.recipient.as_str());
        let active = self.records.iter().filter(|record| record.state == KeyState::Active);
        active.max_by(|a, b| {
            let rank = |it: &'w KeyRecord| (goes_on(it), it.number(), is_newest(it), it.created, &it.name);
            rank(a).cmp(&rank(b))
        })
    }

    /// How it stands with the backup.
    pub fn escrow(&self) -> EscrowState {
        match self.escrow_of_readable() {
            EscrowState::Due | EscrowState::NoKey if !self.unreadable.is_empty() => {
                EscrowState::Unreadable(self.unreadable.iter().map(|error| error.name.clone()).collect())
            }
            state => state,
        }
    }

    fn escrow_of_readable(&self) -> EscrowState {
        let Some(signer) = self.winner().and_then(|winner| winner.signing.as_ref()) else {
            return match self.settings.recovery.names().next() {
                Some(_) => EscrowState::NoKey,
                None => EscrowState::NoRecoveryRecipients,
            };
        };
        escrow::state(self.records, &self.settings.recovery, self.published, signer, self.usage)
    }

    /// No key is active: may one be made?
    fn first_key(&self) -> Vec<Step> {
        let wait = |reason| vec![Step::Wait(reason)];
        let published = self.published.recipient().map(str::to_owned);
        match self.settings.bootstrap {
            Bootstrap::New => vec![Step::Make { successor: false }],
            Bootstrap::Wait => wait(WaitReason::Bootstrap),
            Bootstrap::Auto => match published {
                Some(recipient) if !self.holds(&recipient) => wait(WaitReason::KeyDeleted(recipient)),
                _ if self.published.damaged => wait(WaitReason::PublishedUnreadable),
                _ if !self.records.is_empty() => wait(WaitReason::NoneActive),
                _ if self.usage.unknown().count > 0 => {
                    wait(WaitReason::UnknownRecipients(self.usage.unknown().clone()))
                }
                _ => vec![Step::Make { successor: false }],
            },
        }
    }

    fn holds(&self, recipient: &str) -> bool {
        self.records.iter().any(|record| record.recipient == recipient)
    }

    /// Keys that were published or escrowed, have no Secret any more, and are needed by these resources.
    fn missed(&self) -> BTreeMap<String, Named> {
        let gone = self.published.keys().filter(|name| !self.holds(name));
        gone.filter_map(|name| Some((name.to_owned(), self.usage.missed(name)?.clone()))).collect()
    }

    fn is_due(&self, winner: &KeyRecord) -> bool {
        let period = self.settings.renew_after;
        period > 0 && self.now.0.saturating_sub(winner.created.0) >= period
    }

    /// What to do about a key that is not the newest.
    fn about_older(&self, record: &KeyRecord) -> Vec<Step> {
        let secret = record.name.clone();
        if record.state == KeyState::Revoked {
            return Vec::new();
        }
        if record.revoke {
            return vec![Step::Revoke { secret, losers: self.usage.losers(&record.recipient) }];
        }
        if record.state == KeyState::Active {
            return vec![Step::Demote { secret }];
        }
        match (self.usage.used_by(&record.recipient), record.idle_since) {
            (0, None) => vec![Step::MarkIdle { secret, since: Some(self.now) }],
            (0, Some(since)) if self.now.0.saturating_sub(since.0) >= self.settings.retire_after => {
                vec![Step::MayRetire { secret, since }]
            }
            (0, Some(_)) | (_, None) => Vec::new(),
            (_, Some(_)) => vec![Step::MarkIdle { secret, since: None }],
        }
    }

    /// Keys of a published chain that ends since an older one goes on: what they said is taken back before the older chain
    /// is published, or it would be believed once the ConfigMap is lost.
    fn ended(&self, winner: &KeyRecord) -> Vec<Step> {
        let Some(older) = self.older() else { return Vec::new() };
        let is_ended = |said: &Statement| self.published.statements.contains(said) && !older.contains(said);
        let others = self.records.iter().filter(|it| it.name != winner.name && it.state != KeyState::Revoked);
        let ended = others.filter(|record| record.state == KeyState::Active || record.statements.iter().any(is_ended));
        ended.map(|record| Step::Demote { secret: record.name.clone() }).collect()
    }

    /// The chain as it is to be published: it ends with the newest active key. `None` while that needs a statement.
    pub fn chain(&self) -> Option<Vec<Statement>> {
        let winner = self.winner()?;
        let said = self.said();
        let newest = said.last()?;
        let here = newest.cluster == self.cluster.name && newest.cluster_uid == self.cluster.uid;
        let ours = winner.statement_key().as_ref() == Some(&newest.statement_key);
        (here && ours && winner.statements.last() == Some(newest)).then_some(said)
    }
}
