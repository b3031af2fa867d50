//! What to do about the live Secrets: a table, without any I/O. Either every Secret of a resource has a step that
//! may be taken, or none is.

use crate::binding::Scope;
use crate::desired::{DesiredSecret, FIELD_MANAGER, LiveSecret, MANAGED_LABEL, MERGED_PREFIX, SOURCE_ANNOTATION};
use crate::dialect::{Opened, for_kind};
use crate::manifest::ResourceId;
use crate::reason::{Reason, Refusal};
use crate::resource::{Conflict, Deletion, Drift, Immutable};
use crate::share::{Share, source};
use crate::status::{MERGED, Status};

/// What is to be done for one resource.
#[derive(Debug, Default)]
pub struct Plan {
    /// One step per Secret, in order of their names; removals last.
    pub steps: Vec<Step>,
    /// Last 8 characters of the recipient whose key opened the file.
    pub key_id: Option<String>,
    /// Tells that content changed, not what it is.
    pub content_hash: Option<String>,
    /// Scope of the binding, where there is one.
    pub scope: Option<Scope>,
    /// Why the file should be wrapped to the current key.
    pub rewrap: Option<String>,
    /// When the file was last changed.
    pub modified: Option<sops::Timestamp>,
}

/// One Secret, and what is to be done about it.
#[derive(Debug)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// What to do.
    pub action: Action,
    /// How it is to be; none for a removal.
    pub secret: Option<DesiredSecret>,
    /// Something that people should hear of.
    pub note: Option<String>,
    /// The field manager for keys in a Secret of others; none where the Secret is the resource's own.
    pub manager: Option<String>,
    /// Whether somebody else made the Secret: once it is gone, the resource waits for it.
    pub is_guest: bool,
}

/// What to do about one Secret. Writers use server-side apply for the first three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not there: make it.
    Create,
    /// Make its values exactly these.
    Replace(Precondition),
    /// Put the values beside those that are there.
    Merge(Precondition),
    /// Delete it and make it anew.
    Recreate(Precondition),
    /// Nothing. `drift`: somebody changed it, and the policy is to report that only.
    Keep {
        /// Whether it differs.
        drift: bool,
    },
    /// The resource no longer names it: delete it.
    Remove(Precondition),
    /// The resource no longer names this Secret of others: take its keys out.
    Release(Precondition),
}

/// The state of the live Secret that the plan was made for; a write must fail if it is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
}

impl Precondition {
    pub(crate) fn of(live: &LiveSecret) -> Self {
        Self { uid: live.uid.clone(), resource_version: live.resource_version.clone() }
    }
}

impl Plan {
    /// Whether nothing needs to be written.
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.action, Action::Keep { .. }))
    }

    /// The Secrets that somebody changed and that are left so.
    pub fn drifted(&self) -> impl Iterator<Item = &str> {
        let drifted = self.steps.iter().filter(|step| step.action == Action::Keep { drift: true });
        drifted.map(|step| step.name.as_str())
    }

    /// The Secrets that are wanted.
    pub fn secrets(&self) -> impl Iterator<Item = &DesiredSecret> {
        self.steps.iter().filter_map(|step| step.secret.as_ref())
    }
}

/// Compares what is wanted with what is there.
///
/// # Errors
/// [`Reason::OwnershipConflict`], [`Reason::ImmutableConflict`], [`Reason::TypeConflict`], [`Reason::SecretMissing`]:
/// then nothing is written.
pub fn plan(opened: Opened, id: &ResourceId, status: &Status, live: &[LiveSecret]) -> Result<Plan, Refusal> {
    let judge = Judge { rules: &opened, id, status };
    let actions: Vec<(Action, Option<String>)> = opened
        .secrets
        .iter()
        .map(|wanted| judge.action(wanted, live.iter().find(|live| live.name == wanted.name)))
        .collect::<Result<_, _>>()?;
    let wanted = |name: &str| opened.secrets.iter().any(|secret| secret.name == name);
    let removed: Vec<Step> = match opened.policy.deletion {
        Deletion::Delete => {
            live.iter().filter(|live| !wanted(&live.name)).filter_map(|live| judge.leave(live)).collect()
        }
        Deletion::Orphan => Vec::new(),
    };
    let share = judge.share();
    let owns = |live: &&LiveSecret| live.owner.as_ref().is_some_and(|owner| owner.is(id));
    let owned: Vec<String> = live.iter().filter(owns).map(|live| live.name.clone()).collect();
    let guests: Vec<String> =
        live.iter().filter(|live| judge.is_guest_in(live)).map(|live| live.name.clone()).collect();
    let steps = opened.secrets.into_iter().zip(actions).map(|(secret, (action, note))| {
        // A Secret of others into which keys are merged must not go with us.
        let is_foreign = matches!(action, Action::Merge(_)) && !owned.contains(&secret.name);
        let is_guest = guests.contains(&secret.name);
        let secret = if is_foreign {
            share.marked(secret, is_guest)
        } else {
            marked(secret, id, opened.policy.deletion, opened.takeover.without_owner)
        };
        let manager = is_foreign.then(|| share.manager());
        Step { name: secret.name.clone(), action, secret: Some(secret), note, manager, is_guest }
    });
    Ok(Plan {
        steps: steps.chain(removed).collect(),
        key_id: opened.key_id,
        content_hash: opened.content_hash,
        scope: opened.scope,
        rewrap: opened.rewrap,
        modified: opened.modified,
    })
}

/// The marks of a Secret that a cluster holds: label, source, and owner unless it is to outlive the resource. Without a
/// uid (no cluster) there are none.
fn marked(mut secret: DesiredSecret, id: &ResourceId, deletion: Deletion, without_owner: bool) -> DesiredSecret {
    let Some(uid) = &id.uid else { return secret };
    secret.labels.insert(MANAGED_LABEL.to_owned(), "true".to_owned());
    secret.annotations.insert(SOURCE_ANNOTATION.to_owned(), source(id));
    if deletion != Deletion::Orphan && !without_owner {
        secret.owner = Some(crate::desired::Owner {
            api_version: id.api_version.clone(),
            kind: id.kind.clone(),
            name: id.name.clone(),
            uid: uid.clone(),
        });
    }
    secret
}

struct Judge<'a> {
    rules: &'a Opened,
    id: &'a ResourceId,
    status: &'a Status,
}

/// Whose a live Secret is.
enum Claim {
    Ours,
    /// Ours from now on, and why.
    Taken(String),
    /// Ours, and others may have keys in it.
    Open,
    /// Its keys are merged into a Secret of others.
    Shared,
}

impl Judge<'_> {
    fn action(&self, wanted: &DesiredSecret, live: Option<&LiveSecret>) -> Result<(Action, Option<String>), Refusal> {
        let Some(live) = live else { return self.made(wanted).map(|action| (action, None)) };
        if live.is_key() {
            let what = format!("Secret {} holds a key of a controller, which no resource may touch", live.name);
            return Err(Refusal::new(Reason::OwnershipConflict, what));
        }
        let claim = self.claim(live)?;
        let is_foreign = matches!(claim, Claim::Shared);
        if is_foreign && let Some((key, manager)) = self.share().rival(wanted, live) {
            let what = format!("key {key} of Secret {} is there already, written by {manager}", live.name);
            return Err(Refusal::new(Reason::OwnershipConflict, what));
        }
        let at = Precondition::of(live);
        let note = match &claim {
            Claim::Taken(why) => Some(why.clone()),
            Claim::Ours | Claim::Open | Claim::Shared => None,
        };
        let shared = matches!(claim, Claim::Open | Claim::Shared);
        let own = if is_foreign { self.share().manager() } else { FIELD_MANAGER.to_owned() };
        let same = is_same(wanted, live, shared, self.is_guest_in(live))
            .map(|same| same && !(shared && has_surplus(wanted, live, &own)));
        if live.type_ != wanted.type_ && live.data.is_some() {
            let what = format!("Secret {} is of type {} and should be {}", live.name, live.type_, wanted.type_);
            return self.recreate(at, shared, Reason::TypeConflict, what).map(|action| (action, note));
        }
        if live.immutable && (same == Some(false) || !(wanted.immutable || is_foreign)) {
            let what = format!("Secret {} is immutable and differs from what it should be", live.name);
            return self.recreate(at, shared, Reason::ImmutableConflict, what).map(|action| (action, note));
        }
        let marks = if is_foreign { self.share().is_in(live) } else { self.is_marked(live) };
        let action = match same {
            Some(true) if marks && note.is_none() && (is_foreign || live.immutable == wanted.immutable) => {
                Action::Keep { drift: false }
            }
            _ if shared => Action::Merge(at),
            Some(false) if self.is_drift(live) && self.rules.policy.drift == Drift::Report => {
                Action::Keep { drift: true }
            }
            _ => Action::Replace(at),
        };
        Ok((action, note))
    }

    /// What is not there is made, but for what somebody else made before, and may be about to make again: then it would
    /// stand in his way, and go with us.
    fn made(&self, wanted: &DesiredSecret) -> Result<Action, Refusal> {
        let was_guest = |seen: &crate::status::SecretStatus| seen.name == wanted.name && seen.state == MERGED;
        if self.rules.policy.conflict != Conflict::Merge || !self.status.secrets.iter().any(was_guest) {
            return Ok(Action::Create);
        }
        let what = format!("Secret {} is gone, which somebody else made and keys were merged into", wanted.name);
        let hint = "it is merged into once it is there again; any other spec.policy.conflict makes it";
        Err(Refusal::new(Reason::SecretMissing, what).hint(hint))
    }

    /// Whether keys are merged into this Secret that neither an owner nor our mark of a maker calls the resource's own.
    fn is_guest_in(&self, live: &LiveSecret) -> bool {
        matches!(self.claim(live), Ok(Claim::Shared)) && !self.is_ours(live)
    }

    fn recreate(&self, at: Precondition, shared: bool, reason: Reason, what: String) -> Result<Action, Refusal> {
        if self.rules.policy.immutable == Immutable::Recreate && !shared {
            return Ok(Action::Recreate(at));
        }
        let hint = "spec.policy.immutable: Recreate lets the Secret be deleted and made anew";
        Err(Refusal::new(reason, what).hint(hint))
    }

    fn claim(&self, live: &LiveSecret) -> Result<Claim, Refusal> {
        let has = |annotation: Option<&str>| {
            annotation.is_some_and(|name| live.annotations.get(name).is_some_and(|value| value == "true"))
        };
        let takeover = &self.rules.takeover;
        let merges = has(takeover.merge_if) || self.rules.policy.conflict == Conflict::Merge;
        if self.is_ours(live) {
            // What others put in is theirs. Without an owner it may have been there before us, and stays without.
            return Ok(match (merges, &live.owner) {
                (false, _) => Claim::Ours,
                (true, Some(_)) => Claim::Open,
                (true, None) => Claim::Shared,
            });
        }
        if live.owner.as_ref().is_some_and(|owner| owner.is_former(self.id)) {
            return Ok(Claim::Taken(format!("Secret {} belonged to an earlier resource of this name", live.name)));
        }
        if let Some(former) = self.predecessor(live)
            && !merges
        {
            return Ok(Claim::Taken(format!("Secret {} belonged to {former}, which is gone", live.name)));
        }
        if is_another_resources(live) {
            return Err(self.conflict(live));
        }
        if merges {
            return Ok(Claim::Shared);
        }
        let merged = |(name, of): (&String, &String)| name.starts_with(MERGED_PREFIX) && *of != source(self.id);
        if live.annotations.iter().any(merged) {
            return Err(self.conflict(live));
        }
        let adopts = self.rules.policy.conflict == Conflict::Adopt;
        // An annotation does not outweigh the controller that an owner reference names.
        if live.owner.is_none() && (adopts || has(takeover.adopt_if)) {
            return Ok(Claim::Taken(format!("Secret {} was there before and is taken over", live.name)));
        }
        Err(self.conflict(live))
    }

    fn conflict(&self, live: &LiveSecret) -> Refusal {
        let owner = match (&live.owner, live.annotations.get(SOURCE_ANNOTATION), live.managers().as_slice()) {
            (Some(owner), ..) => format!("belongs to {} {}", owner.kind, owner.name),
            (None, Some(source), _) => format!("comes from {source}"),
            (None, None, []) => "is there already and belongs to nobody".to_owned(),
            (None, None, managers) => format!("is there already, written by {}", managers.join(", ")),
        };
        let refusal = Refusal::new(Reason::OwnershipConflict, format!("Secret {} {owner}", live.name));
        if live.owner.is_some() || is_another_resources(live) {
            refusal
        } else {
            refusal.hint("spec.policy.conflict: Adopt takes it over, Merge adds to it")
        }
    }

    /// What the resource has in Secrets of others. Where a Secret's own annotation asks for the merge, as Sealed Secrets
    /// has it, keys stay.
    fn share(&self) -> Share {
        Share::of(self.id, self.rules.policy.deletion == Deletion::Orphan || self.rules.takeover.merge_if.is_some())
    }

    /// How to leave a Secret that the resource no longer names. One of its own without owner was left behind on
    /// purpose before.
    fn leave(&self, live: &LiveSecret) -> Option<Step> {
        let (name, at) = (live.name.clone(), Precondition::of(live));
        if live.is_key() {
            return None;
        }
        if live.owner.as_ref().is_some_and(|owner| owner.is(self.id)) {
            return Some(Step {
                name,
                action: Action::Remove(at),
                secret: None,
                note: None,
                manager: None,
                is_guest: false,
            });
        }
        let share = self.share();
        share.is_in(live).then(|| share.give_back(live))
    }

    /// A resource of another kind and this name that the Secret belonged to and that is gone: this one comes from it by
    /// `plomb convert`.
    fn predecessor<'a>(&self, live: &'a LiveSecret) -> Option<&'a str> {
        let from = live.annotations.get(SOURCE_ANNOTATION).filter(|_| live.owner.is_none() && live.source_gone)?;
        let (_, name) = from.split_once('/')?;
        (name == self.id.name && live.labels.contains_key(MANAGED_LABEL)).then_some(from)
    }

    /// Controlled by this very resource, or written by it and controlled by nobody.
    fn is_ours(&self, live: &LiveSecret) -> bool {
        match &live.owner {
            Some(owner) => owner.is(self.id),
            None => {
                live.labels.contains_key(MANAGED_LABEL)
                    && live.annotations.get(SOURCE_ANNOTATION).is_some_and(|from| *from == source(self.id))
            }
        }
    }

    /// Whether the marks that [`marked`] would set are there.
    fn is_marked(&self, live: &LiveSecret) -> bool {
        let owned = live.owner.as_ref().is_some_and(|owner| owner.is(self.id));
        let sourced = live.annotations.get(SOURCE_ANNOTATION).is_some_and(|from| *from == source(self.id));
        let without = self.rules.policy.deletion == Deletion::Orphan || self.rules.takeover.without_owner;
        let right = if without { sourced && live.owner.is_none() } else { owned };
        self.id.uid.is_none() || (right && live.labels.contains_key(MANAGED_LABEL))
    }

    /// Whether the resource is as it was when this Secret was last right: then somebody changed the Secret.
    fn is_drift(&self, live: &LiveSecret) -> bool {
        self.id.generation.is_some()
            && self.status.observed_generation == self.id.generation
            && self.status.secrets.iter().any(|seen| seen.name == live.name && seen.uid == live.uid)
    }
}

/// Whether `manager` wrote a key that is wanted no more.
fn has_surplus(wanted: &DesiredSecret, live: &LiveSecret, manager: &str) -> bool {
    let mut written = live.managed.iter().filter(|entry| entry.manager == manager).flat_map(|entry| &entry.keys);
    written.any(|key| !wanted.data.contains_key(key))
}

/// Whether another sealed resource owns it: by reference, or by our marks while it is there.
fn is_another_resources(live: &LiveSecret) -> bool {
    match &live.owner {
        Some(owner) => for_kind(&owner.api_version, &owner.kind).is_some(),
        None => {
            let marked = live.labels.contains_key(MANAGED_LABEL) && live.annotations.contains_key(SOURCE_ANNOTATION);
            marked && !live.source_gone
        }
    }
}

/// Whether the live Secret says what is wanted; `None` if its values were not read. Labels and annotations of others
/// may stand beside ours, values only where the Secret is shared; to a guest, labels and annotations are nothing.
fn is_same(wanted: &DesiredSecret, live: &LiveSecret, shared: bool, is_guest: bool) -> Option<bool> {
    let data = live.data.as_ref()?;
    let values = wanted.data.iter().all(|(key, value)| data.get(key).is_some_and(|live| live == value));
    let marks = wanted.labels.iter().all(|(key, value)| live.labels.get(key) == Some(value))
        && wanted.annotations.iter().all(|(key, value)| live.annotations.get(key) == Some(value));
    Some(values && (is_guest || marks) && (shared || data.len() == wanted.data.len()))
}
