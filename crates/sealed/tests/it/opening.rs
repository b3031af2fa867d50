//! Files and objects that open, and files that a person touched in the wrong way.

use sealed::{Action, Keys, Reason};
use secret::SecretBytes;

use crate::made::{Person, api, changed, contents, draft, file, manifests, object, plan, sealed, secret};

#[test]
fn a_file_and_its_object_give_the_same_secrets() {
    let me = Person::new(1);
    let file = file(&draft(), &me);
    assert!(!file.contains("canary"), "{file}");
    let wanted = [
        ("admin/blob", vec![0, 255, 128]),
        ("admin/none", Vec::new()),
        ("admin/password", b"canary-admin".to_vec()),
        ("admin/user", b"root".to_vec()),
        ("public/n", b"1".to_vec()),
        ("public/on", b"yes".to_vec()),
        ("public/password", b"canary-public".to_vec()),
    ];
    let wanted = wanted.map(|(name, value)| (name.to_owned(), value)).into();
    let from_file = plan(&manifests(&file)[0], &me.keys()).unwrap();
    assert_eq!(contents(&from_file), wanted);
    let from_api = plan(&object(&api(&file)), &me.keys()).unwrap();
    assert_eq!(contents(&from_api), wanted);
    assert!(from_api.steps.iter().all(|step| step.action == Action::Create));
    assert_eq!(from_file.content_hash, from_api.content_hash);
    assert_eq!(from_api.key_id.as_deref(), Some(&me.recipient[me.recipient.len() - 8..]));
    assert!(!format!("{from_api:?}{from_file:?}").contains("canary"));
}

#[test]
fn templates_are_filled() {
    let me = Person::new(1);
    let text = "apiVersion: plomb.dev/v1alpha1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: prod}\nspec:\n  \
                secrets:\n    a:\n      stringData: {pw: hunter2, user: bob}\n      template: {url: 'x://${user}:${pw}@h'}\n";
    let bound = sealed::write::bound(SecretBytes::from(text), &document::format::Yaml, Default::default()).unwrap();
    let file = sealed(bound.text, &[&me]);
    assert_eq!(contents(&plan(&object(&api(&file)), &me.keys()).unwrap())["a/url"], b"x://bob:hunter2@h");
    let bad = changed(&file, &me, |text| rebind(&text.replace("${pw}", "${nobody}")));
    let refusal = plan(&manifests(&bad)[0], &me.keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::TemplateFailed);
    assert!(refusal.message.contains("nobody"));
}

#[test]
fn what_templates_make_of_all_secrets_together_has_a_limit() {
    let me = Person::new(1);
    let of = |count: usize| {
        let entry = |number: usize| {
            let (value, text) = ("x".repeat(1000), "${k}".repeat(1000));
            format!("    s{number}:\n      stringData: {{k: {value}}}\n      template: {{t: '{text}'}}\n")
        };
        let head = "apiVersion: plomb.dev/v1alpha1\nkind: EncryptedSecret\nmetadata: {name: db, namespace: prod}\nspec:\n  \
                    secrets:\n";
        let text = head.to_owned() + &(0..count).map(entry).collect::<String>();
        let bound = sealed::write::bound(SecretBytes::from(text.as_str()), &document::format::Yaml, Default::default());
        sealed(bound.unwrap().text, &[&me])
    };
    assert_eq!(contents(&plan(&manifests(&of(4))[0], &me.keys()).unwrap())["s3/t"].len(), 1_000_000);
    let refusal = plan(&manifests(&of(5))[0], &me.keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::TemplateFailed);
    assert!(refusal.message.contains("4194304 bytes together"), "{refusal}");
}

#[test]
fn what_an_api_server_would_refuse_by_its_type_is_refused_before() {
    let me = Person::new(1);
    // `plomb seal` makes none of these; an editor does.
    let refused = |type_: &str, key: &str, value: &str| {
        let mut draft = draft();
        draft.secrets = vec![secret("a", &[(key, "VALUE")])];
        draft.secrets[0].type_ = "example.org/type".into();
        let edit = |text: &str| rebind(&text.replace("example.org/type", type_).replace("VALUE", value));
        plan(&manifests(&changed(&file(&draft, &me), &me, edit))[0], &me.keys()).err()
    };
    let docker = "kubernetes.io/dockerconfigjson";
    assert_eq!(refused(docker, ".dockerconfigjson", "'{}'"), None);
    for (type_, key, value, word) in [
        (docker, ".dockerconfigjson", "nojson-canary", ".dockerconfigjson"),
        ("kubernetes.io/dockercfg", ".dockercfg", "'[]'", ".dockercfg"),
        ("kubernetes.io/service-account-token", "token", "x", "service-account-token"),
    ] {
        let refusal = refused(type_, key, value).unwrap();
        assert_eq!(refusal.reason, Reason::InvalidSecret);
        assert!(refusal.message.contains(word) && !refusal.message.contains("canary"), "{refusal}");
    }
}

fn rebind(text: &str) -> String {
    let bound = sealed::write::bound(SecretBytes::from(text), &document::format::Yaml, Default::default()).unwrap();
    bound.text.expose_str().unwrap().to_owned()
}

#[test]
fn the_wrong_keys_are_named() {
    let (me, other) = (Person::new(1), Person::new(2));
    let file = file(&draft(), &me);
    let resource = &manifests(&file)[0];
    let refusal = plan(resource, &other.keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::KeyNotFound);
    for person in [&me, &other] {
        assert!(refusal.message.contains(&person.recipient[person.recipient.len() - 8..]), "{refusal}");
    }
    assert_eq!(plan(resource, &Keys::default()).unwrap_err().reason, Reason::KeyNotFound);
    let revoked = me.keys().with_revoked([me.recipient.clone()]);
    assert_eq!(plan(resource, &revoked).unwrap_err().reason, Reason::KeyRevoked);
    let swapped = file.replace(&me.recipient, &other.recipient);
    assert!(plan(&manifests(&swapped)[0], &me.keys()).is_ok(), "labels only say which key is tried first");
    assert_eq!(plan(&manifests(&swapped)[0], &other.keys()).unwrap_err().reason, Reason::DecryptFailed);
}

#[test]
fn a_file_for_an_older_key_opens_and_says_so() {
    let (old, new) = (Person::new(1), Person::new(2));
    let file = file(&draft(), &old);
    let keys = old.keys().with_current(new.recipient.clone());
    assert!(plan(&manifests(&file)[0], &keys).unwrap().rewrap.unwrap().contains("older key"));
    let keys = old.keys().with_current(old.recipient.clone());
    assert_eq!(plan(&manifests(&file)[0], &keys).unwrap().rewrap, None);
}

#[test]
fn the_current_key_is_the_one_that_opens_wherever_it_stands_in_the_file() {
    let (old, new) = (Person::new(1), Person::new(2));
    for readers in [[&old, &new], [&new, &old]] {
        let file = sealed(sealed::write::plain_text(&draft()).unwrap(), &readers);
        for current in [&old, &new] {
            let mut ring = old.ring();
            ring.add(keys::parse_identity(new.key_file().trim(), &keys::Access::none()).unwrap(), "test");
            let keys = Keys::new(ring).with_current(current.recipient.clone());
            let opened_by = plan(&manifests(&file)[0], &keys).unwrap().key_id.unwrap();
            assert!(current.recipient.ends_with(&opened_by), "{opened_by}");
        }
    }
}

#[test]
fn keys_have_an_id_that_changes_with_them() {
    let (me, other) = (Person::new(1), Person::new(2));
    assert_eq!(me.keys().id(), me.keys().id());
    assert_ne!(me.keys().id(), other.keys().id());
    assert_ne!(me.keys().id(), me.keys().with_revoked([me.recipient.clone()]).id());
    assert_ne!(me.keys().id(), me.keys().with_current(me.recipient.clone()).id());
}

#[test]
fn a_change_of_keys_names_those_that_fare_otherwise() {
    let people = [1, 2, 3].map(Person::new);
    let [old, new, bystander] = &people;
    let keys = |current: &Person| {
        let mut ring = bystander.ring();
        people[..2].iter().for_each(|person| {
            ring.add(keys::parse_identity(person.key_file().trim(), &keys::Access::none()).unwrap(), "test");
        });
        Keys::new(ring).with_current(current.recipient.clone())
    };
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let both = sorted(vec![&old.recipient, &new.recipient]);
    assert_eq!(sorted(keys(new).changed_since(&keys(old))), both, "renewed");
    assert!(keys(new).changed_since(&keys(new)).is_empty());
    let revoked = keys(new).with_revoked([old.recipient.clone()]);
    assert_eq!(revoked.changed_since(&keys(new)), [old.recipient.as_str()]);
    let alone = Keys::new(bystander.ring());
    assert_eq!(sorted(alone.changed_since(&keys(new))), both, "gone");
    assert_eq!(sorted(keys(new).changed_since(&alone)), both, "come");
}

#[test]
fn a_refusal_names_a_few_recipients_of_many() {
    let (me, other) = (Person::new(1), Person::new(2));
    let many: Vec<Person> = (10..60).map(Person::new).collect();
    let readers: Vec<&Person> = std::iter::once(&me).chain(&many).collect();
    let file = sealed(sealed::write::plain_text(&draft()).unwrap(), &readers);
    let refusal = plan(&manifests(&file)[0], &other.keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::KeyNotFound);
    assert!(refusal.message.contains(" and 41 more; the keys here are "), "{refusal}");
}

#[test]
fn a_key_that_was_appended_is_told_from_tampering() {
    let me = Person::new(1);
    let file = file(&draft(), &me);
    let added =
        changed(&file, &me, |text| text.replace("      user: root\n", "      user: root\n        a-new: one\n"));
    for resource in [&manifests(&added)[0], &object(&api(&added))] {
        assert_eq!(plan(resource, &me.keys()).unwrap_err().reason, Reason::KeyOrder);
    }
    let mended = changed(&added, &me, rebind);
    assert_eq!(contents(&plan(&object(&api(&mended)), &me.keys()).unwrap())["admin/a-new"], b"one");
    // In its right place, but not bound.
    let added = changed(&file, &me, |text| text.replace("      user: root\n", "      user: root\n        zz: one\n"));
    let refusal = plan(&manifests(&added)[0], &me.keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::ShapeMismatch);
    assert_eq!(refusal.hint.as_deref().map(|hint| hint.starts_with("plomb bind")), Some(true));
}

#[test]
fn an_edited_value_needs_nothing() {
    let me = Person::new(1);
    let edited = changed(&file(&draft(), &me), &me, |text| text.replace("canary-admin", "another"));
    assert_eq!(contents(&plan(&object(&api(&edited)), &me.keys()).unwrap())["admin/password"], b"another");
}

#[test]
fn numbers_are_refused_and_named() {
    let me = Person::new(1);
    let edited = changed(&file(&draft(), &me), &me, |text| text.replace("canary-admin", "12"));
    let refusal = plan(&manifests(&edited)[0], &me.keys()).unwrap_err();
    assert_eq!(refusal.reason, Reason::InvalidSecret);
    assert!(refusal.message.contains("password") && !refusal.message.contains("12"));
}

#[test]
fn a_resource_is_alone_in_its_file() {
    let me = Person::new(1);
    let file = file(&draft(), &me);
    let two = format!("{file}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n");
    assert_eq!(plan(&manifests(&two)[0], &me.keys()).unwrap_err().reason, Reason::MultipleDocuments);
    assert!(plan(&manifests(&format!("---\n{file}"))[0], &me.keys()).is_ok());
}

#[test]
fn a_suspended_resource_is_left_alone() {
    let me = Person::new(1);
    let file = file(&draft(), &me);
    let mut object_json = api(&file);
    object_json["spec"]["suspend"] = true.into();
    assert_eq!(plan(&object(&object_json), &me.keys()).unwrap_err().reason, Reason::Suspended);
    object_json["spec"]["suspendUntil"] = "2020-01-01T00:00:00Z".into();
    assert!(plan(&object(&object_json), &me.keys()).is_ok(), "neither is part of the shape");
}

#[test]
fn a_secret_that_no_api_server_takes_is_refused() {
    let me = Person::new(1);
    let mut draft = draft();
    draft.secrets[0].type_ = "kubernetes.io/tls".into();
    let refused = sealed::write::plain_text(&draft).unwrap_err().to_string();
    assert!(refused.contains("tls.crt"), "{refused}");
    draft.secrets[0].type_ = "Opaque".into();
    draft.secrets[0].data.insert("big".into(), SecretBytes::new(vec![b'x'; 1 << 20]));
    assert!(sealed::write::plain_text(&draft).unwrap_err().to_string().contains("1048576"));
    let text = "apiVersion: plomb.dev/v1alpha1\nkind: EncryptedSecret\nmetadata: {name: a, namespace: n}\nspec:\n  \
                secrets:\n    a:\n      type: kubernetes.io/tls\n      stringData: {tls.crt: x}\n";
    let bound = sealed::write::bound(SecretBytes::from(text), &document::format::Yaml, Default::default()).unwrap();
    let refusal = plan(&manifests(&sealed(bound.text, &[&me]))[0], &me.keys()).unwrap_err();
    assert_eq!((refusal.reason, refusal.message.contains("tls.key")), (Reason::InvalidSecret, true));
}

#[test]
fn what_is_no_sealed_resource_is_refused() {
    let resource = &manifests("{apiVersion: v1, kind: Secret, metadata: {name: a}}")[0];
    assert_eq!(plan(resource, &Keys::default()).unwrap_err().reason, Reason::InvalidFormat);
}

#[test]
fn every_reason_is_explained_in_order() {
    let docs = std::fs::read_to_string(testkit::fixtures::workspace().join("docs/cluster.md")).unwrap();
    let table = docs.split("## Reasons").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    // Those of the controller, when an API server does not take what was planned, stand behind them.
    assert_eq!(rows.take(Reason::ALL.len()).collect::<Vec<_>>(), Reason::ALL.map(Reason::word));
}
