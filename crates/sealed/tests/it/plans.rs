//! The table of what is done about live Secrets.

use sealed::resource::{Conflict, Deletion, Drift, Immutable, Policy};
use sealed::{Action, DesiredSecret, LiveSecret, ManagedEntry, Manifest, Owner, Plan, Reason, Refusal};
use secret::SecretBytes;
use serde_json::{Value, json};

use std::collections::BTreeMap;

use crate::made::{NOW, Person, api, draft, file, object, plan_with, secret};

struct World {
    me: Person,
    value: Value,
}

impl World {
    fn new(change: impl Fn(&mut sealed::write::Draft)) -> Self {
        let me = Person::new(1);
        let mut draft = draft();
        draft.secrets = vec![secret("a", &[("k", "v")])];
        change(&mut draft);
        let value = api(&file(&draft, &me));
        Self { me, value }
    }

    fn with(policy: Policy) -> Self {
        Self::new(|draft| draft.policy = policy)
    }

    fn resource(&self) -> Manifest {
        object(&self.value)
    }

    /// The plan, which must be the same for live Secrets of which no more is held than needed.
    fn plan(&self, live: &[LiveSecret]) -> Result<Plan, Refusal> {
        let (resource, keys) = (self.resource(), self.me.keys());
        let planned = plan_with(&resource, &keys, live);
        if let Ok(opening) = sealed::begin(&resource, &keys, NOW) {
            let mut light: Vec<LiveSecret> = live.iter().map(copy).collect();
            light.iter_mut().for_each(|live| opening.lighten(live));
            let status = if live.is_empty() { Default::default() } else { sealed::status::Status::of(&resource) };
            let again = opening.plan(&resource, &status, &light);
            assert_eq!(format!("{planned:?}"), format!("{again:?}"));
        }
        planned
    }

    /// The one step for the Secret `a`.
    fn action(&self, live: LiveSecret) -> Result<Action, Reason> {
        self.plan(&[live]).map(|plan| plan.steps[0].action.clone()).map_err(|refusal| refusal.reason)
    }

    /// The live Secret after the plan was carried out.
    fn live(&self) -> LiveSecret {
        live_of(self.plan(&[]).unwrap().secrets().next().unwrap())
    }
}

fn copy(live: &LiveSecret) -> LiveSecret {
    let values = |data: &BTreeMap<String, SecretBytes>| {
        data.iter().map(|(key, value)| (key.clone(), value.duplicate())).collect::<BTreeMap<_, _>>()
    };
    LiveSecret {
        name: live.name.clone(),
        uid: live.uid.clone(),
        resource_version: live.resource_version.clone(),
        type_: live.type_.clone(),
        immutable: live.immutable,
        labels: live.labels.clone(),
        annotations: live.annotations.clone(),
        owner: live.owner.clone(),
        managed: live.managed.clone(),
        data: live.data.as_ref().map(values),
        created: live.created,
        source_gone: live.source_gone,
    }
}

fn live_of(wanted: &DesiredSecret) -> LiveSecret {
    LiveSecret {
        name: wanted.name.clone(),
        uid: "s-1".into(),
        resource_version: "7".into(),
        type_: wanted.type_.clone(),
        immutable: wanted.immutable,
        labels: wanted.labels.clone(),
        annotations: wanted.annotations.clone(),
        owner: wanted.owner.clone(),
        managed: vec![manager("plomb")],
        created: None,
        source_gone: false,
        data: Some(wanted.data.iter().map(|(key, value)| (key.clone(), value.duplicate())).collect()),
    }
}

fn manager(name: &str) -> ManagedEntry {
    ManagedEntry { manager: name.into(), operation: "Apply".into(), ..ManagedEntry::default() }
}

fn owner(kind: &str, name: &str, uid: &str) -> Option<Owner> {
    let owned = str::to_owned;
    Some(Owner { api_version: "plomb.dev/v1alpha1".into(), kind: owned(kind), name: owned(name), uid: owned(uid) })
}

fn is_replace(action: &Result<Action, Reason>) -> bool {
    matches!(action, Ok(Action::Replace(at)) if at.uid == "s-1" && at.resource_version == "7")
}

const KEEP: Result<Action, Reason> = Ok(Action::Keep { drift: false });

#[test]
fn what_is_as_wanted_is_kept() {
    let world = World::with(Policy::default());
    let live = world.live();
    assert_eq!(live.owner, owner("EncryptedSecret", "db", "uid-1"));
    assert_eq!(live.labels["plomb.dev/managed"], "true");
    assert_eq!(world.action(live), KEEP);
    let mut live = world.live();
    live.labels.insert("velero".into(), "x".into());
    assert_eq!(world.action(live), KEEP, "labels of others may stand there");
    assert!(world.plan(&[world.live()]).unwrap().is_done());
}

#[test]
fn every_difference_is_mended() {
    let world = World::with(Policy::default());
    let changes: [fn(&mut LiveSecret); 5] = [
        |live| drop(live.data.as_mut().unwrap().insert("k".into(), SecretBytes::from("other"))),
        |live| drop(live.data.as_mut().unwrap().insert("extra".into(), SecretBytes::from("x"))),
        |live| drop(live.data.as_mut().unwrap().remove("k")),
        |live| drop(live.labels.remove("plomb.dev/managed")),
        |live| live.data = None,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut live = world.live();
        change(&mut live);
        assert!(is_replace(&world.action(live)), "change {number}");
    }
}

#[test]
fn a_secret_of_somebody_else_is_left_alone() {
    let world = World::with(Policy::default());
    let mut live = world.live();
    live.owner = None;
    live.annotations.clear();
    live.managed = vec![manager("helm")];
    let refusal = world.plan(&[live]).unwrap_err();
    assert_eq!(refusal.reason, Reason::OwnershipConflict);
    assert!(refusal.message.contains("helm"));
    for policy in [Conflict::Fail, Conflict::Adopt, Conflict::Merge] {
        let world = World::with(Policy { conflict: policy, ..Policy::default() });
        let mut live = world.live();
        live.owner = owner("EncryptedSecret", "rival", "uid-9");
        let refusal = world.plan(&[live]).unwrap_err();
        assert_eq!(refusal.reason, Reason::OwnershipConflict, "the first owner stays");
        assert!(refusal.message.contains("rival"));
        // The same while only the marks say so.
        let mut live = from(&world, "EncryptedSecret.plomb.dev/rival");
        assert_eq!(world.action(from(&world, "EncryptedSecret.plomb.dev/rival")), Err(Reason::OwnershipConflict));
        live.source_gone = true;
        assert_eq!(world.action(live).is_ok(), policy != Conflict::Fail, "{policy:?}");
    }
}

/// The live Secret, without owner, marked as coming from another resource.
fn from(world: &World, source: &str) -> LiveSecret {
    let mut live = world.live();
    live.owner = None;
    live.annotations.insert("plomb.dev/source".into(), source.into());
    live
}

#[test]
fn a_lost_owner_is_put_back() {
    let world = World::with(Policy::default());
    let mut live = world.live();
    live.owner = None;
    assert!(is_replace(&world.action(live)));
    // One that a resource of another kind and this name left, as `plomb convert` does it.
    let mut live = from(&world, "SealedSecret.bitnami.com/db");
    live.source_gone = true;
    let plan = world.plan(&[live]).unwrap();
    assert!(matches!(plan.steps[0].action, Action::Replace(_)) && plan.steps[0].note.is_some());
    assert_eq!(plan.steps[0].secret.as_ref().unwrap().owner, owner("EncryptedSecret", "db", "uid-1"));
    let mut live = from(&world, "SealedSecret.bitnami.com/another");
    live.source_gone = true;
    assert_eq!(world.action(live), Err(Reason::OwnershipConflict));
}

#[test]
fn a_key_of_a_controller_is_never_touched_and_never_made() {
    for label in ["plomb.dev/key", "sealedsecrets.bitnami.com/sealed-secrets-key"] {
        for policy in [Conflict::Fail, Conflict::Adopt, Conflict::Merge] {
            let world = World::with(Policy { conflict: policy, ..Policy::default() });
            for owned in [true, false] {
                let mut live = world.live();
                live.labels.insert(label.into(), "active".into());
                if !owned {
                    (live.owner, live.annotations) = (None, Default::default());
                }
                assert_eq!(world.action(live), Err(Reason::OwnershipConflict), "{label} {policy:?}");
            }
            let mut gone = world.live();
            gone.name = "gone".into();
            gone.labels.insert(label.into(), "active".into());
            assert_eq!(world.plan(&[world.live(), gone]).unwrap().steps.len(), 1, "not removed either");
        }
        let mut labelled = draft();
        labelled.secrets[0].labels.insert(label.into(), "active".into());
        assert!(sealed::write::plain_text(&labelled).is_err());
    }
}

#[test]
fn merged_keys_are_written_by_a_manager_of_their_own_and_given_back() {
    let world = World::with(Policy { conflict: Conflict::Merge, ..Policy::default() });
    let foreign =
        || LiveSecret { owner: None, labels: Default::default(), annotations: Default::default(), ..world.live() };
    let plan = world.plan(&[foreign()]).unwrap();
    let (step, secret) = (&plan.steps[0], plan.steps[0].secret.as_ref().unwrap());
    assert!(matches!(step.action, Action::Merge(_)));
    let own = "plomb-controller/EncryptedSecret.plomb.dev/db";
    assert_eq!(step.manager.as_deref(), Some(own));
    assert!(secret.owner.is_none() && secret.type_.is_empty() && !secret.annotations.contains_key("plomb.dev/source"));
    // As it is after that: nothing to do, also beside the keys of another resource.
    let merged = || {
        let mut live = foreign();
        (live.labels, live.annotations) = (secret.labels.clone(), secret.annotations.clone());
        live.managed.push(ManagedEntry { keys: vec!["k".into()], ..manager(own) });
        live.managed.push(ManagedEntry { keys: vec!["other".into()], ..manager("plomb-controller/x") });
        live
    };
    assert_eq!(world.action(merged()), KEEP);
    let mut less = merged();
    less.managed[1].keys.push("dropped".into());
    assert!(matches!(world.action(less), Ok(Action::Merge(_))), "a key that is named no more");
    let mut fought = merged();
    fought.managed[2].keys.push("k".into());
    assert_eq!(world.action(fought), Err(Reason::OwnershipConflict), "one key, two resources");
    let adopter = World::new(|draft| (draft.name, draft.policy.conflict) = ("other".into(), Conflict::Adopt));
    assert_eq!(adopter.action(merged()), Err(Reason::OwnershipConflict), "it is shared");
    // No longer named: given back, unless keys are to stay.
    let gone = || LiveSecret { name: "gone".into(), ..merged() };
    let plan = world.plan(&[merged(), gone()]).unwrap();
    assert!(matches!(plan.steps[1].action, Action::Release(_)) && plan.steps[1].manager.as_deref() == Some(own));
    assert!(sealed::status::SecretStatus::of(&plan.steps[1], "u", "9").is_none());
    let stays = World::with(Policy { conflict: Conflict::Merge, deletion: Deletion::Orphan, ..Policy::default() });
    assert_eq!(stays.plan(&[merged(), gone()]).unwrap().steps.len(), 1);
}

#[test]
fn a_policy_lets_it_be_adopted_or_merged() {
    let world = World::with(Policy { conflict: Conflict::Adopt, ..Policy::default() });
    let mut live = world.live();
    live.owner = None;
    live.annotations.clear();
    let plan = world.plan(&[live]).unwrap();
    assert!(matches!(plan.steps[0].action, Action::Replace(_)) && plan.steps[0].note.is_some());
    let world = World::with(Policy { conflict: Conflict::Merge, ..Policy::default() });
    let mut live = world.live();
    live.owner = None;
    live.data.as_mut().unwrap().insert("theirs".into(), SecretBytes::from("x"));
    live.data.as_mut().unwrap().remove("k");
    assert!(matches!(world.action(live), Ok(Action::Merge(_))));
}

#[test]
fn the_secret_of_an_earlier_resource_of_this_name_is_taken_over() {
    let world = World::with(Policy::default());
    let mut live = world.live();
    live.owner = owner("EncryptedSecret", "db", "dead");
    let plan = world.plan(&[live]).unwrap();
    assert!(matches!(plan.steps[0].action, Action::Replace(_)));
    assert!(plan.steps[0].note.as_deref().unwrap().contains("earlier"));
}

#[test]
fn types_and_immutable_secrets_need_a_word() {
    let strict = World::with(Policy::default());
    let lenient = World::with(Policy { immutable: Immutable::Recreate, ..Policy::default() });
    for (change, reason) in [
        ((|live: &mut LiveSecret| live.type_ = "other".into()) as fn(&mut LiveSecret), Reason::TypeConflict),
        (|live| live.immutable = true, Reason::ImmutableConflict),
    ] {
        let mut live = strict.live();
        change(&mut live);
        assert_eq!(strict.action(live), Err(reason));
        let mut live = lenient.live();
        change(&mut live);
        assert!(matches!(lenient.action(live), Ok(Action::Recreate(_))));
    }
    let sealed = World::new(|draft| draft.secrets[0].immutable = true);
    assert_eq!(sealed.action(sealed.live()), KEEP);
    let mut live = sealed.live();
    live.immutable = false;
    assert!(is_replace(&sealed.action(live)));
    let mut live = sealed.live();
    live.data.as_mut().unwrap().insert("k".into(), SecretBytes::from("x"));
    assert_eq!(sealed.action(live), Err(Reason::ImmutableConflict));
}

#[test]
fn drift_is_told_from_a_change_of_the_resource() {
    let mut world = World::with(Policy { drift: Drift::Report, ..Policy::default() });
    let drifted = |world: &World| {
        let mut live = world.live();
        live.data.as_mut().unwrap().insert("k".into(), SecretBytes::from("x"));
        world.action(live)
    };
    assert!(is_replace(&drifted(&world)), "nothing is known of it yet");
    world.value["status"] = json!({"observedGeneration": 1, "secrets": [{"name": "a", "uid": "s-1"}]});
    assert_eq!(drifted(&world), Ok(Action::Keep { drift: true }));
    world.value["metadata"]["generation"] = json!(2);
    assert!(is_replace(&drifted(&world)), "the resource changed");
}

#[test]
fn what_the_resource_no_longer_names_goes() {
    let world = World::with(Policy::default());
    let mut gone = world.live();
    gone.name = "gone".into();
    let mut foreign = world.live();
    foreign.name = "foreign".into();
    foreign.owner = None;
    let plan = world.plan(&[world.live(), gone, foreign]).unwrap();
    let steps: Vec<_> = plan.steps.iter().map(|step| (step.name.as_str(), step.secret.is_some())).collect();
    assert_eq!(steps, [("a", true), ("gone", false)]);
    assert!(matches!(plan.steps[1].action, Action::Remove(_)));
}

#[test]
fn an_orphan_knows_where_it_came_from() {
    let world = World::with(Policy { deletion: Deletion::Orphan, ..Policy::default() });
    let live = world.live();
    assert_eq!(live.owner, None);
    assert_eq!(live.annotations["plomb.dev/source"], "EncryptedSecret.plomb.dev/db");
    assert_eq!(world.action(live), KEEP);
    let mut gone = world.live();
    gone.name = "gone".into();
    assert_eq!(world.plan(&[world.live(), gone]).unwrap().steps.len(), 1, "it is left there");
}

#[test]
fn a_step_leaves_its_mark_in_the_status() {
    let world = World::with(Policy { drift: Drift::Report, ..Policy::default() });
    let plan = world.plan(&[]).unwrap();
    let made = sealed::status::SecretStatus::of(&plan.steps[0], "u", "9").unwrap();
    assert_eq!((made.name.as_str(), made.uid.as_str(), made.state.as_str(), made.keys), ("a", "u", "Synced", 1));
    let mut gone = world.live();
    gone.name = "gone".into();
    let plan = world.plan(&[world.live(), gone]).unwrap();
    assert!(sealed::status::SecretStatus::of(&plan.steps[1], "u", "9").is_none());
}

#[test]
fn one_conflict_stops_every_secret_of_the_resource() {
    let world = World::new(|draft| draft.secrets.push(secret("b", &[("k", "v")])));
    let mut foreign = world.live();
    foreign.name = "b".into();
    foreign.owner = None;
    foreign.annotations.clear();
    assert_eq!(world.plan(&[foreign]).unwrap_err().reason, Reason::OwnershipConflict);
}

#[test]
fn a_live_secret_is_read_from_its_object() {
    let object = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"k": "dg=="}, "metadata": {
        "name": "a", "namespace": "prod", "uid": "s-1", "resourceVersion": "7", "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"l": "x"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Other", "name": "o", "uid": "u"},
            {"apiVersion": "plomb.dev/v1alpha1", "kind": "EncryptedSecret", "name": "db", "uid": "uid-1", "controller": true}],
        "managedFields": [{"manager": "b", "fieldsV1": {"f:data": {".": {}, "f:k": {}}}}, {"manager": "a"}, {"manager": "b"}]}});
    let live = LiveSecret::of(&crate::made::object(&object)).unwrap();
    assert_eq!(live.owner, owner("EncryptedSecret", "db", "uid-1"));
    assert_eq!((live.managers(), live.data.as_ref().unwrap()["k"].expose()), (vec!["a", "b"], b"v".as_slice()));
    assert_eq!(live.created, sealed::Timestamp::parse("2026-01-02T03:04:05Z"));
    assert_eq!((&live.managed[0].keys[..], live.managed[1].keys.len()), (&["k".to_owned()][..], 0));
    let mut metadata_only = object;
    metadata_only.as_object_mut().unwrap().retain(|key, _| key != "data" && key != "type");
    assert!(LiveSecret::of(&crate::made::object(&metadata_only)).unwrap().data.is_none());
}

#[test]
fn of_a_live_value_no_more_is_held_than_whether_it_is_right() {
    let world = World::new(|draft| draft.secrets = vec![secret("a", &[("k", "v"), ("none", "")])]);
    let (resource, keys) = (world.resource(), world.me.keys());
    let opening = sealed::begin(&resource, &keys, NOW).unwrap();
    let mut live = world.live();
    let data = live.data.as_mut().unwrap();
    data.insert("k".into(), SecretBytes::from("somebody else's"));
    data.insert("none".into(), SecretBytes::from("somebody else's"));
    data.insert("more".into(), SecretBytes::from("somebody else's"));
    opening.lighten(&mut live);
    let data = live.data.unwrap();
    assert!(data.values().all(|value| value.len() < 10) && data.len() == 3);
    assert!(data["k"] != SecretBytes::from("v") && !data["none"].is_empty());
}

#[test]
fn a_merge_patch_takes_out_what_is_not_wanted() {
    let world = World::with(Policy::default());
    let plan = world.plan(&[]).unwrap();
    let mut live = world.live();
    live.data.as_mut().unwrap().insert("old".into(), SecretBytes::from("x"));
    let at = sealed::Precondition { uid: "s-1".into(), resource_version: "7".into() };
    let patch = plan.secrets().next().unwrap().to_merge_patch(&at, &live).unwrap();
    let patch: Value = serde_json::from_slice(patch.expose()).unwrap();
    assert_eq!(patch["data"], json!({"k": "dg==", "old": null}));
    assert_eq!((&patch["metadata"]["uid"], &patch["metadata"]["resourceVersion"]), (&json!("s-1"), &json!("7")));
}

#[test]
fn nobody_but_the_controller_sets_its_marks() {
    let marks = ["plomb.dev/managed", "plomb.dev/source", "plomb.dev/merged-x", "plomb.dev/left-x", "plomb.dev/revoke"];
    let foreign = ["sealedsecrets.bitnami.com/managed", "sealedsecrets.bitnami.com/patch", "sopssecret/managed"];
    for mark in marks.into_iter().chain(foreign) {
        for is_label in [true, false] {
            let mut asks = draft();
            let Some(first) = asks.secrets.first_mut() else { panic!("a draft has Secrets") };
            let into = if is_label { &mut first.labels } else { &mut first.annotations };
            into.insert(mark.into(), "true".into());
            let refused = sealed::write::plain_text(&asks).unwrap_err().to_string();
            assert!(refused.contains(mark), "{mark}: {refused}");
        }
    }
    // Whatever other kinds ask for: a mark of ours is not theirs to set.
    let mut resource = api(&testkit_sops_secret());
    for metadata in ["labels", "annotations"] {
        resource["spec"]["secretTemplates"][0][metadata]["plomb.dev/source"] = json!("EncryptedSecret.plomb.dev/other");
    }
    let refusal = sealed::open(&object(&resource), &crate::sops_secrets::keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidSecret, "{refusal}");
    assert!(refusal.message.contains("plomb.dev/source"), "{refusal}");
}

fn testkit_sops_secret() -> String {
    std::fs::read_to_string(testkit::fixtures::folder("sops-secrets").join("regex.yaml")).unwrap()
}

#[test]
fn an_annotation_outweighs_no_controller() {
    let opened = || sealed::Opened {
        secrets: vec![secret("a", &[("k", "v")])],
        takeover: sealed::Takeover { adopt_if: Some("sealedsecrets.bitnami.com/managed"), ..Default::default() },
        ..sealed::Opened::default()
    };
    let id = World::with(Policy::default()).resource().id;
    let live = |controller: Option<Owner>| {
        let mut live = live_of(&opened().secrets[0]);
        live.annotations.insert("sealedsecrets.bitnami.com/managed".into(), "true".into());
        live.owner = controller;
        live
    };
    let plan = |live: LiveSecret| sealed::plan(opened(), &id, &Default::default(), &[live]);
    assert!(matches!(plan(live(None)).unwrap().steps[0].action, Action::Replace(_)));
    let controller =
        Owner { api_version: "databases.example.org/v1".into(), ..owner("Database", "db", "d-1").unwrap() };
    assert_eq!(plan(live(Some(controller))).unwrap_err().reason, Reason::OwnershipConflict);
}

#[test]
fn merging_takes_neither_labels_nor_annotations() {
    let world = World::new(|draft| {
        draft.policy.conflict = Conflict::Merge;
        draft.secrets[0].labels.insert("tier".into(), "mine".into());
        draft.secrets[0].annotations.insert("note".into(), "mine".into());
    });
    let foreign = || LiveSecret {
        owner: None,
        labels: [("tier".to_owned(), "theirs".to_owned())].into(),
        annotations: Default::default(),
        ..world.live()
    };
    let plan = world.plan(&[foreign()]).unwrap();
    let written = plan.steps[0].secret.as_ref().unwrap();
    assert_eq!(written.labels.keys().collect::<Vec<_>>(), ["plomb.dev/managed"]);
    assert!(written.annotations.keys().all(|name| name.starts_with("plomb.dev/merged-")), "{:?}", written.annotations);
    // As it is after that: the owner's label is no difference that anybody wants to mend.
    let mut merged = foreign();
    merged.labels.extend(written.labels.clone());
    merged.annotations.extend(written.annotations.clone());
    assert_eq!(world.action(merged), KEEP);
    // Where nobody else made it, they are the resource's own.
    assert_eq!(world.live().labels["tier"], "mine");
}

#[test]
fn a_guest_waits_for_its_host() {
    let merge = || Policy { conflict: Conflict::Merge, ..Policy::default() };
    let mut world = World::with(merge());
    let noted = |plan: &Plan| sealed::status::SecretStatus::of(&plan.steps[0], "s-1", "8").unwrap();
    let foreign =
        LiveSecret { owner: None, labels: Default::default(), annotations: Default::default(), ..world.live() };
    let merged = noted(&world.plan(&[foreign]).unwrap());
    assert_eq!(merged.state, "Merged");
    let without_any = |world: &World| {
        let (resource, keys) = (world.resource(), world.me.keys());
        let opening = sealed::begin(&resource, &keys, NOW).unwrap();
        opening.plan(&resource, &sealed::status::Status::of(&resource), &[])
    };
    let made = without_any(&world).unwrap();
    assert!(made.steps[0].action == Action::Create && noted(&made).state == "Synced", "nobody was there before");
    let status = json!({"observedGeneration": 1, "secrets": [serde_json::to_value(&merged).unwrap()]});
    world.value["status"] = status.clone();
    let refusal = without_any(&world).unwrap_err();
    assert_eq!(refusal.reason, Reason::SecretMissing, "{refusal}");
    assert!(refusal.message.contains("Secret a is gone") && refusal.reason.waits_for_secret());
    // One that it made itself is made again, and so is any under another policy. Without a cluster nothing is missed.
    world.value["status"]["secrets"][0]["state"] = json!("Synced");
    assert_eq!(without_any(&world).unwrap().steps[0].action, Action::Create);
    let mut owning = World::with(Policy { conflict: Conflict::Adopt, ..Policy::default() });
    owning.value["status"] = status.clone();
    assert_eq!(without_any(&owning).unwrap().steps[0].action, Action::Create);
    world.value["status"] = status;
    assert_eq!(world.plan(&[]).unwrap().steps[0].action, Action::Create);
    // Its own without an owner, as the policy Orphan leaves it, is no host.
    let orphan = World::with(Policy { deletion: Deletion::Orphan, ..merge() });
    assert_eq!(noted(&orphan.plan(&[orphan.live()]).unwrap()).state, "Synced");
}
