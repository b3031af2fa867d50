//! What somebody who may write objects, and has no key, can do to a sealed one: every change ends in a refusal.

use sealed::{Reason, Scope};
use serde_json::{Value, json};

use testkit::Dice;

use crate::made::{Person, api, changed, draft, file, object, plan};

/// The reason with which a changed object is refused.
fn refused(change: impl Fn(&mut Value)) -> Reason {
    let me = Person::new(1);
    let mut value = api(&file(&draft(), &me));
    assert!(plan(&object(&value), &me.keys()).is_ok());
    change(&mut value);
    value.sort_all_objects();
    let refusal = plan(&object(&value), &me.keys()).unwrap_err();
    assert!(!refusal.to_string().contains("canary"), "{refusal}");
    refusal.reason
}

fn take(value: &mut Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap()
}

fn swap(value: &mut Value, a: &str, b: &str) {
    let first = value.pointer(a).unwrap().clone();
    let second = std::mem::replace(value.pointer_mut(b).unwrap(), first);
    *value.pointer_mut(a).unwrap() = second;
}

#[test]
fn another_namespace() {
    assert_eq!(refused(|value| value["metadata"]["namespace"] = json!("attacker")), Reason::BindingMismatch);
}

#[test]
fn another_name() {
    assert_eq!(refused(|value| value["metadata"]["name"] = json!("other")), Reason::BindingMismatch);
}

#[test]
fn swapped_values_of_one_secret() {
    let swapped = |value: &mut Value| {
        swap(value, "/spec/secrets/admin/stringData/password", "/spec/secrets/admin/stringData/user")
    };
    assert_eq!(refused(swapped), Reason::DecryptFailed);
}

#[test]
fn swapped_values_of_two_secrets() {
    let swapped = |value: &mut Value| {
        swap(value, "/spec/secrets/admin/stringData/password", "/spec/secrets/public/stringData/password");
    };
    assert_eq!(refused(swapped), Reason::DecryptFailed);
}

#[test]
fn swapped_names() {
    assert_eq!(refused(|value| swap(value, "/spec/secrets/admin", "/spec/secrets/public")), Reason::DecryptFailed);
}

#[test]
fn a_removed_value() {
    let removed = |value: &mut Value| drop(take(value, "/spec/secrets/admin/stringData/user"));
    assert_eq!(refused(removed), Reason::MacMismatch);
}

#[test]
fn a_removed_empty_value() {
    let removed = |value: &mut Value| drop(take(value, "/spec/secrets/admin/stringData/none"));
    assert_eq!(refused(removed), Reason::ShapeMismatch);
}

#[test]
fn an_emptied_value() {
    let emptied = |value: &mut Value| value["spec"]["secrets"]["admin"]["stringData"]["user"] = json!("");
    assert_eq!(refused(emptied), Reason::MacMismatch);
}

#[test]
fn a_filled_empty_value() {
    let filled = |value: &mut Value| {
        let token = value["spec"]["secrets"]["admin"]["stringData"]["user"].clone();
        value["spec"]["secrets"]["admin"]["stringData"]["none"] = token;
    };
    assert_eq!(refused(filled), Reason::DecryptFailed);
}

#[test]
fn a_removed_secret() {
    assert_eq!(refused(|value| drop(take(value, "/spec/secrets/public"))), Reason::MacMismatch);
}

#[test]
fn a_renamed_secret() {
    let renamed = |value: &mut Value| {
        let secret = take(value, "/spec/secrets/admin");
        value["spec"]["secrets"]["other"] = secret;
    };
    assert_eq!(refused(renamed), Reason::DecryptFailed);
}

#[test]
fn a_renamed_key() {
    let renamed = |value: &mut Value| {
        let token = take(value, "/spec/secrets/admin/stringData/user");
        value["spec"]["secrets"]["admin"]["stringData"]["login"] = token;
    };
    assert_eq!(refused(renamed), Reason::DecryptFailed);
}

#[test]
fn an_extra_secret() {
    let extra = |value: &mut Value| value["spec"]["secrets"]["extra"] = json!({"template": {"k": "x"}});
    assert_eq!(refused(extra), Reason::ShapeMismatch);
    let empty = |value: &mut Value| value["spec"]["secrets"]["extra"] = json!({"stringData": {"k": ""}});
    assert_eq!(refused(empty), Reason::ShapeMismatch);
    let copied = |value: &mut Value| value["spec"]["secrets"]["extra"] = value["spec"]["secrets"]["admin"].clone();
    assert_eq!(refused(copied), Reason::DecryptFailed);
}

#[test]
fn a_template_that_shows_a_value() {
    let shown = |value: &mut Value| value["spec"]["secrets"]["public"]["template"] = json!({"leak": "${password}"});
    assert_eq!(refused(shown), Reason::ShapeMismatch);
}

#[test]
fn clear_parts_that_decide() {
    let changes: [fn(&mut Value); 6] = [
        |value| value["spec"]["secrets"]["admin"]["type"] = json!("kubernetes.io/basic-auth"),
        |value| value["spec"]["secrets"]["admin"]["immutable"] = json!(true),
        |value| value["spec"]["secrets"]["admin"]["labels"]["app"] = json!("other"),
        |value| value["spec"]["secrets"]["admin"]["annotations"] = json!({"reflect-to": "attacker"}),
        |value| value["spec"]["policy"] = json!({"conflict": "Adopt"}),
        |value| value["spec"]["policy"] = json!({"deletion": "Orphan"}),
    ];
    for change in changes {
        assert_eq!(refused(change), Reason::ShapeMismatch);
    }
}

#[test]
fn a_widened_scope() {
    // A binding of an earlier time, for every namespace, under the same data key: its token fits its place.
    let me = Person::new(1);
    let strict = file(&draft(), &me);
    let wide = changed(&strict, &me, |text| {
        let how = sealed::write::Rebind { scope: Some(Scope::Cluster), moved: true };
        let bound = sealed::write::bound(secret::SecretBytes::from(text), &document::format::Yaml, how).unwrap();
        bound.text.expose_str().unwrap().to_owned()
    });
    let token = api(&wide)["spec"]["binding"].clone();
    let mut value = api(&strict);
    value["metadata"]["namespace"] = json!("attacker");
    value["spec"]["binding"] = token;
    assert_eq!(plan(&object(&value), &me.keys()).unwrap_err().reason, Reason::MacMismatch);
    // The wide file itself may travel.
    let mut value = api(&wide);
    value["metadata"]["namespace"] = json!("elsewhere");
    assert_eq!(plan(&object(&value), &me.keys()).unwrap().scope, Some(Scope::Cluster));
}

#[test]
fn a_scope_in_clear_does_not_exist() {
    assert_eq!(refused(|value| value["spec"]["scope"] = json!("cluster")), Reason::InvalidFormat);
    assert_eq!(refused(|value| value["spec"]["binding"] = json!("{}")), Reason::Plaintext);
    assert_eq!(refused(|value| value["spec"]["binding"] = json!("")), Reason::BindingMismatch);
    assert_eq!(refused(|value| drop(take(value, "/spec/binding"))), Reason::BindingMismatch);
}

#[test]
fn a_binding_of_another_file() {
    let me = Person::new(1);
    let mut other = draft();
    other.scope = Scope::Cluster;
    other.name = "other".into();
    let token = api(&file(&other, &me))["spec"]["binding"].clone();
    assert_eq!(refused(|value| value["spec"]["binding"] = token.clone()), Reason::DecryptFailed);
}

#[test]
fn a_changed_selector() {
    let changes: [fn(&mut Value); 5] = [
        |value| value["sops"]["encrypted_regex"] = json!("^nothing$"),
        |value| value["sops"]["encrypted_regex"] = json!("^(data|stringData|binding|labels)$"),
        |value| {
            value["sops"].as_object_mut().unwrap().remove("encrypted_regex");
        },
        |value| {
            value["sops"].as_object_mut().unwrap().remove("encrypted_regex");
            value["sops"]["unencrypted_suffix"] = json!("x");
        },
        |value| value["sops"]["mac_only_encrypted"] = json!(false),
    ];
    for change in changes {
        assert_eq!(refused(change), Reason::SelectorMismatch);
    }
}

#[test]
fn a_changed_or_removed_mac() {
    assert_eq!(refused(|value| drop(take(value, "/sops/mac"))), Reason::MacMismatch);
    assert_eq!(refused(|value| value["sops"]["lastmodified"] = json!("2026-01-01T00:00:00Z")), Reason::MacMismatch);
    let other = |value: &mut Value| value["sops"]["mac"] = value["spec"]["binding"].clone();
    assert_eq!(refused(other), Reason::MacMismatch);
}

#[test]
fn a_value_in_clear_or_of_another_type() {
    let place = "/spec/secrets/admin/stringData/user";
    assert_eq!(refused(|value| *value.pointer_mut(place).unwrap() = json!("mine")), Reason::Plaintext);
    assert_eq!(refused(|value| *value.pointer_mut(place).unwrap() = json!(5)), Reason::InvalidFormat);
    assert_eq!(refused(|value| *value.pointer_mut(place).unwrap() = json!({"k": "v"})), Reason::InvalidFormat);
    let typed = |word: &'static str| {
        move |value: &mut Value| {
            let token = value.pointer(place).unwrap().as_str().unwrap().replace("type:str", word);
            *value.pointer_mut(place).unwrap() = json!(token);
        }
    };
    assert_eq!(refused(typed("type:int")), Reason::DecryptFailed);
    assert_eq!(refused(typed("type:comment")), Reason::MacMismatch);
    assert_eq!(refused(typed("type:pint")), Reason::DecryptFailed);
}

#[test]
fn fields_that_do_not_exist() {
    assert_eq!(refused(|value| value["data"] = json!({"k": "x"})), Reason::InvalidFormat);
    assert_eq!(refused(|value| value["spec"]["secrets"]["admin"]["stringDate"] = json!({})), Reason::InvalidFormat);
    assert_eq!(refused(|value| value["metadata"]["labels"] = json!({"data": "x"})), Reason::ReservedName);
    assert_eq!(refused(|value| value["spec"]["secrets"]["data"] = json!({})), Reason::ReservedName);
}

/// Every place of a value, as pointers.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, inner)| places(inner, &format!("{path}/{}", escaped(key)), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| places(inner, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

/// One random change: a member removed, renamed or copied, two values swapped, a letter changed.
fn vandalise(value: &mut Value, dice: &mut Dice) {
    let mut all = Vec::new();
    places(value, "", &mut all);
    let (one, other) = (dice.pick(&all[1..]).clone(), dice.pick(&all[1..]).clone());
    let (parent, key) = one.rsplit_once('/').map(|(parent, key)| (parent.to_owned(), key.to_owned())).unwrap();
    match dice.below(5) {
        0 | 1 => {
            let Some(members) = value.pointer_mut(&parent).and_then(Value::as_object_mut) else { return };
            let Some(taken) = members.remove(&key) else { return };
            if dice.chance(50) {
                members.insert(format!("{key}x"), taken);
            }
        }
        2 => {
            let (a, b) = (value.pointer(&one).cloned(), value.pointer(&other).cloned());
            if one.starts_with(&other) || other.starts_with(&one) {
                return;
            }
            *value.pointer_mut(&one).unwrap() = b.unwrap();
            *value.pointer_mut(&other).unwrap() = a.unwrap();
        }
        3 => {
            let copy = value.pointer(&other).cloned().unwrap();
            *value.pointer_mut(&one).unwrap() = copy;
        }
        _ => {
            let Some(Value::String(text)) = value.pointer_mut(&one) else { return };
            let mut letters: Vec<char> = text.chars().collect();
            if letters.is_empty() {
                return;
            }
            let at = dice.below(letters.len());
            letters[at] = *dice.pick(&['a', 'A', '0', '=', '"', '{', '\u{e9}']);
            *text = letters.into_iter().collect();
        }
    }
}

#[test]
fn random_changes_never_give_another_secret() {
    let me = Person::new(1);
    let good = api(&file(&draft(), &me));
    let facts = |value: &Value| {
        let resource = sealed::Manifest::from_api(secret::SecretBytes::from(value.to_string())).ok()?;
        let opened = sealed::open(&resource, &me.keys()).ok()?;
        let yaml = |secret: &sealed::DesiredSecret| secret.to_yaml().unwrap().expose_str().unwrap().to_owned();
        Some(opened.secrets.iter().map(yaml).collect::<Vec<_>>())
    };
    let wanted = facts(&good).unwrap();
    let mut dice = Dice::new(5);
    let (mut same, mut refused) = (0, 0);
    for round in 0..1200 {
        let mut value = good.clone();
        (0..=dice.below(3)).for_each(|_| vandalise(&mut value, &mut dice));
        match facts(&value) {
            Some(made) => {
                assert_eq!(made, wanted, "round {round}: {value}");
                same += 1;
            }
            None => refused += 1,
        }
    }
    assert!(same > 40 && refused > 400, "{same} harmless, {refused} refused");
}
