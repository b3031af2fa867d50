//! Plain Secrets become sealed files, and files are bound anew.

use document::format::{Json, Yaml};
use document::{EmitOptions, Format as _};
use sealed::write::{self, Rebind, bound, is_in_order, plain_text, secret_of};
use sealed::{Scope, WriteError};
use secret::SecretBytes;

use crate::made::{Person, changed, contents, draft, file, manifests, plan};

fn text(bytes: &SecretBytes) -> &str {
    bytes.expose_str().unwrap()
}

fn bind(plain: &str) -> Result<write::Bound, WriteError> {
    bound(SecretBytes::from(plain), &Yaml, Rebind::default())
}

#[test]
fn the_text_is_sorted_bound_and_quotes_what_kubectl_misreads() {
    let plain = plain_text(&draft()).unwrap();
    let wanted =
        "apiVersion: plomb.dev/v1alpha1\nkind: EncryptedSecret\nmetadata:\n  name: db\n  namespace: prod\nspec:\n";
    assert!(text(&plain).starts_with(wanted), "{}", text(&plain));
    let body = "  secrets:\n    admin:\n      data:\n        blob: AP+A\n      labels:\n        app: shop\n      stringData:\n        \
                none: \"\"\n        password: canary-admin\n        user: root\n    public:\n      stringData:\n        \
                \"n\": \"1\"\n        \"on\": \"yes\"\n        password: canary-public\n";
    assert!(text(&plain).ends_with(body), "{}", text(&plain));
    assert!(is_in_order(&Yaml.parse(plain).unwrap()));
}

#[test]
fn a_secret_object_is_read_without_the_marks_of_its_cluster() {
    let object = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  namespace: n\n  uid: u\n  resourceVersion: '1'\n  labels: {l: x}\n  \
                  annotations: {kubectl.kubernetes.io/last-applied-configuration: canary, keep: y, \
                  plomb.dev/source: EncryptedSecret.plomb.dev/a, sealedsecrets.bitnami.com/managed: 'true'}\n  ownerReferences: [{kind: X}]\n\
                  data: {k: dg==, s: b3Zlcg==}\nstringData: {s: text}\n";
    let secret = secret_of(&manifests(object)[0]).unwrap();
    assert_eq!(secret.annotations.keys().collect::<Vec<_>>(), ["keep"]);
    assert_eq!((secret.data["k"].expose(), secret.data["s"].expose()), (b"v".as_slice(), b"text".as_slice()));
    assert_eq!((secret.owner.is_none(), secret.type_.as_str()), (true, "Opaque"));
    for (wrong, part) in [
        ("{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: 'canary!'}}", "k"),
        ("{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: 17}}", "integer"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "ConfigMap"),
    ] {
        let error = secret_of(&manifests(wrong)[0]).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("canary") && !error.contains("17"), "{error}");
    }
}

#[test]
fn bytes_and_odd_text_come_back() {
    let me = Person::new(1);
    let odd = [
        "a\r\nb",
        "\u{feff}x",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "\u{7f}",
        "multi\nline\n",
        " lead",
        "trail ",
        "#no",
        "ü✓",
        "\t",
        "\n",
        "|",
        "---\n",
    ];
    let mut draft = draft();
    for (number, value) in odd.iter().enumerate() {
        draft.secrets[0].data.insert(format!("odd-{number:02}"), SecretBytes::from(*value));
    }
    let opened = contents(&plan(&manifests(&file(&draft, &me))[0], &me.keys()).unwrap());
    for (number, value) in odd.iter().enumerate() {
        assert_eq!(opened[&format!("public/odd-{number:02}")], value.as_bytes(), "{value:?}");
    }
}

#[test]
fn what_cannot_be_bound_is_named() {
    let mut without = draft();
    without.namespace = None;
    assert!(matches!(plain_text(&without), Err(WriteError::NoNamespace(_))));
    without.scope = Scope::Cluster;
    assert!(plain_text(&without).is_ok());
    let mut reserved = draft();
    reserved.secrets[0].name = "data".into();
    assert!(matches!(plain_text(&reserved), Err(WriteError::Refused(_))));
    let mut reserved = draft();
    reserved.secrets[0].labels.insert("binding".into(), "x".into());
    assert!(matches!(plain_text(&reserved), Err(WriteError::Refused(_))));
}

#[test]
fn binding_changes_no_more_than_it_must() {
    let plain = plain_text(&draft()).unwrap();
    let again = bind(text(&plain)).unwrap();
    assert!(!again.changed && !again.sorted && again.text == plain);
    let commented = text(&plain)
        .replace("      stringData:\n        none", "      # mine\n      stringData:   # these\n        none");
    let more = commented.replace("        user: root\n", "        user: root\n        zz: 'new'\n");
    let again = bind(&more).unwrap();
    assert!(again.changed && !again.sorted);
    let (old, new) = (more.lines().collect::<Vec<_>>(), text(&again.text).lines().collect::<Vec<_>>());
    let differing: Vec<_> = old.iter().zip(&new).filter(|(a, b)| a != b).map(|(a, _)| a.trim()).collect();
    assert_eq!((old.len(), differing.len()), (new.len(), 1), "{differing:?}");
    assert!(differing[0].starts_with("binding:"));
}

#[test]
fn keys_are_sorted_with_their_comments() {
    let unsorted = "apiVersion: plomb.dev/v1alpha1\nkind: EncryptedSecret\nmetadata:\n  name: a\n  namespace: n\nspec:\n  secrets:\n    \
                    b:\n      stringData:\n        # about z\n        z: '1'\n        # about a\n        a: '2'\n      data:\n        k: dg==\n    a:\n      stringData:\n        B: x\n        a: y\n";
    let bound = bind(unsorted).unwrap();
    assert!(bound.sorted && bound.changed);
    let order: Vec<_> = text(&bound.text).lines().map(str::trim).filter(|line| !line.starts_with("binding:")).collect();
    let wanted = [
        "apiVersion: plomb.dev/v1alpha1",
        "kind: EncryptedSecret",
        "metadata:",
        "name: a",
        "namespace: n",
        "spec:",
        "secrets:",
        "a:",
        "stringData:",
        "B: x",
        "a: \"y\"",
        "b:",
        "data:",
        "k: dg==",
        "stringData:",
        "# about a",
        "a: \"2\"",
        "# about z",
        "z: \"1\"",
    ];
    let plain = |line: &str| line.replace(['"', '\''], "");
    assert_eq!(order.iter().map(|line| plain(line)).collect::<Vec<_>>(), wanted.map(plain));
}

#[test]
fn keys_that_kubectl_misreads_are_put_in_quotes() {
    let plain = plain_text(&draft()).unwrap();
    let careless = text(&plain).replace("\"n\": \"1\"", "n: \"1\"");
    assert_ne!(careless, text(&plain));
    assert!(write::has_misread_keys(&Yaml.parse(SecretBytes::from(careless.as_str())).unwrap()));
    let bound = bind(&careless).unwrap();
    assert!(bound.quoted && !bound.changed && !bound.sorted, "{bound:?}");
    assert!(text(&bound.text).contains("\"n\": \"1\"\n"), "{}", text(&bound.text));
    assert!(!bind(text(&bound.text)).unwrap().quoted);
    // What is sealed needs no more of that, whatever some reader makes of a key.
    let mut odd = draft();
    for key in ["y", "yEs", "NO", "1", "1-2", "1_000", "0x1F", ".5", "2001-01-01", "1e3", "-1", "null", "e-1"] {
        odd.secrets[0].data.insert(key.into(), SecretBytes::from("x"));
    }
    let plain = plain_text(&odd).unwrap();
    let again = bind(text(&plain)).unwrap();
    assert!(!again.quoted && !again.changed, "{}", text(&plain));
}

#[test]
fn what_a_cluster_would_not_make_is_told() {
    let plain = plain_text(&draft()).unwrap();
    let at = "      labels:\n        app: shop\n";
    let doubt = |more: &str| bind(&text(&plain).replace(at, &format!("{at}{more}"))).unwrap().doubt;
    let with = |template: &str| doubt(&format!("      template:\n        made: {template}\n"));
    assert_eq!(with("'${user} and ${password}'"), None);
    for (template, part) in [("'${user'", "byte 0"), ("'${nobody}'", "nobody")] {
        let refusal = with(template).unwrap();
        assert_eq!(refusal.reason, sealed::Reason::TemplateFailed, "{template}");
        assert!(refusal.message.contains(part) && !refusal.to_string().contains("canary"), "{refusal}");
    }
    assert_eq!(doubt("      type: kubernetes.io/tls\n").unwrap().reason, sealed::Reason::InvalidSecret);
}

#[test]
fn a_moved_file_needs_a_word() {
    let plain = plain_text(&draft()).unwrap();
    let moved = text(&plain).replace("namespace: prod", "namespace: stage");
    assert!(matches!(bind(&moved), Err(WriteError::Moved(_))));
    assert!(!is_in_order(&Yaml.parse(SecretBytes::from(moved.as_str())).unwrap()));
    let bound = bound(SecretBytes::from(moved), &Yaml, Rebind { scope: None, moved: true }).unwrap();
    assert_eq!(bound.binding.namespace.as_deref(), Some("stage"));
    let wider = Rebind { scope: Some(Scope::Cluster), moved: false };
    assert!(matches!(write::bound(plain, &Yaml, wider), Err(WriteError::Moved(_))));
}

#[test]
fn json_files_are_bound_too() {
    let doc = Yaml.parse(plain_text(&draft()).unwrap()).unwrap();
    let json = Json.emit(&doc.branches, &EmitOptions::default()).unwrap();
    assert!(!bound(json.duplicate(), &Json, Rebind::default()).unwrap().changed);
    let other = text(&json).replace("\"user\"", "\"login\"");
    let bound = bound(SecretBytes::from(other), &Json, Rebind::default()).unwrap();
    assert!(bound.changed && bound.sorted, "login stands behind none and password now");
}

#[test]
fn what_is_no_resource_is_not_bound() {
    for other in ["a: b\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"] {
        assert!(matches!(bind(other), Err(WriteError::NotAResource)));
    }
    let two = format!("{}---\na: b\n", text(&plain_text(&draft()).unwrap()));
    assert!(matches!(bind(&two), Err(WriteError::NotAResource)));
}

#[test]
fn no_error_shows_a_value() {
    let me = Person::new(1);
    let edited = changed(&file(&draft(), &me), &me, |text| text.replace("canary-admin", "7777777"));
    let shown = format!("{:?}", plan(&manifests(&edited)[0], &me.keys()).unwrap_err());
    assert!(!shown.contains("7777777"));
    let plain = text(&plain_text(&draft()).unwrap()).replace("canary-admin", "7777777");
    let error = bind(&plain).unwrap_err();
    assert!(error.to_string().contains("password") && !format!("{error:?}{error}").contains("7777777"));
    assert!(!format!("{:?}", draft()).contains("canary"));
}
