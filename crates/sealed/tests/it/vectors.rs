//! SealedSecrets made by the real kubeseal, all of fixtures/sealed-secrets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealed::bitnami::{RsaKey, unseal};
use sealed::{DesiredSecret, Keys, Reason, Refusal, open};
use secret::SecretBytes;

fn read(name: &str) -> String {
    std::fs::read_to_string(testkit::fixtures::folder("sealed-secrets").join(name)).unwrap()
}

fn rsa(number: u32) -> Vec<RsaKey> {
    let body = read(&format!("key{number}.pkcs8.base64"));
    let pem = format!("-----BEGIN PRIVATE {k}-----\n{body}-----END PRIVATE {k}-----\n", k = "KEY");
    RsaKey::from_pem(&SecretBytes::from(pem)).unwrap()
}

fn keys(numbers: &[u32]) -> Keys {
    let mut keys = Keys::default();
    numbers.iter().flat_map(|number| rsa(*number)).for_each(|key| keys.add_rsa(key));
    keys
}

fn opened(name: &str, numbers: &[u32]) -> Result<DesiredSecret, Refusal> {
    let found = sealed::manifest::read(SecretBytes::from(read(name)), name, "").unwrap();
    open(&found[0], &keys(numbers)).map(|mut opened| opened.secrets.remove(0))
}

/// What the plain file beside it says.
fn wanted(name: &str) -> DesiredSecret {
    let text = read(&format!("{name}.secret.yaml"));
    let found = sealed::manifest::read(SecretBytes::from(text), "x.yaml", "").unwrap();
    sealed::write::secret_of(&found[0]).unwrap()
}

fn same(made: &DesiredSecret, wanted: &DesiredSecret, name: &str) {
    assert_eq!(made.data, wanted.data, "{name}");
    let facts = |it: &DesiredSecret| (it.namespace.clone(), it.name.clone(), it.type_.clone(), it.immutable);
    assert_eq!(facts(made), facts(wanted), "{name}");
    assert_eq!(made.labels, wanted.labels, "{name}");
    let own = |it: &DesiredSecret| -> BTreeMap<String, String> {
        let own = it.annotations.iter().filter(|(key, _)| !key.starts_with("sealedsecrets."));
        own.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    assert_eq!(own(made), own(wanted), "{name}");
}

/// The files of the folder whose name ends so, so that none is left out.
fn names(end: &str) -> Vec<String> {
    let folder: PathBuf = testkit::fixtures::folder("sealed-secrets");
    let files = testkit::fixtures::files_below(&folder);
    let names = files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| name.contains(end)).collect()
}

#[test]
fn every_scope_of_every_secret_opens() {
    let mut seen = 0;
    for name in names(".sealed.yaml") {
        if name.starts_with("negative") || name.contains("merged") {
            continue;
        }
        seen += 1;
        same(&opened(&name, &[1]).unwrap(), &wanted(name.split('.').next().unwrap()), &name);
        assert_eq!(opened(&name, &[2]).unwrap_err().reason, Reason::KeyNotFound, "{name}");
    }
    assert_eq!(seen, 9);
    same(&opened("db.strict.key2.sealed.json", &[1, 2]).unwrap(), &wanted("db"), "key2");
    assert!(opened("db.strict.key2.sealed.json", &[1]).is_err());
}

#[test]
fn values_of_two_keys_need_both() {
    let merged = opened("db.merged.sealed.yaml", &[1, 2]).unwrap();
    let mut wanted = wanted("db");
    wanted.data.insert("added".into(), SecretBytes::from("merged later"));
    same(&merged, &wanted, "merged");
    let refusal = opened("db.merged.sealed.yaml", &[1]).unwrap_err();
    assert!(refusal.message.ends_with("opens added"), "{refusal}");
    let refusal = opened("db.merged.sealed.yaml", &[2]).unwrap_err();
    assert!(refusal.message.contains("blob, empty, password, url"), "{refusal}");
}

#[test]
fn what_was_moved_or_renamed_is_refused() {
    let negative = names("negative");
    assert_eq!(negative.len(), 2);
    for name in negative {
        assert_eq!(opened(&name, &[1, 2]).unwrap_err().reason, Reason::KeyNotFound, "{name}");
    }
}

#[test]
fn raw_values_open_under_their_label() {
    for (scope, label) in [("strict", "prod/db"), ("namespace-wide", "prod"), ("cluster-wide", "")] {
        let sealed = STANDARD.decode(read(&format!("raw.{scope}.txt")).trim()).unwrap();
        assert_eq!(unseal(&sealed, label, &rsa(1)).unwrap().expose(), b"raw value\n", "{scope}");
        assert!(unseal(&sealed, "prod/other", &rsa(1)).is_none());
        for cut in [0, 1, 2, 100, 514, 520, sealed.len() - 1] {
            assert!(unseal(&sealed[..cut], label, &rsa(1)).is_none(), "{cut}");
        }
    }
}

#[test]
fn kubeseal_unseals_to_the_same() {
    let unsealed = names(".unsealed.yaml");
    assert_eq!(unsealed.len(), 3);
    for name in unsealed {
        let text = read(&name);
        let found = sealed::manifest::read(SecretBytes::from(text), &name, "").unwrap();
        let theirs = sealed::write::secret_of(&found[0]).unwrap();
        let ours = opened(&name.replace("unsealed", "sealed"), &[1, 2]).unwrap();
        same(&ours, &theirs, &name);
        assert_eq!(ours.annotations, theirs.annotations, "{name}");
    }
}

#[test]
fn a_widened_scope_is_refused() {
    let text = read("db.strict.sealed.yaml");
    let widened = text.replacen(
        "  name: db\n",
        "  name: db\n  annotations: {sealedsecrets.bitnami.com/cluster-wide: \"true\"}\n",
        1,
    );
    assert_ne!(text, widened);
    let found = sealed::manifest::read(SecretBytes::from(widened), "x.yaml", "").unwrap();
    assert_eq!(open(&found[0], &keys(&[1])).unwrap_err().reason, Reason::KeyNotFound);
}

#[test]
fn templates_are_filled_or_refused_by_name() {
    let text = read("db.strict.sealed.yaml");
    let with = |template: &str| {
        let text = text.replacen("  template:\n", &format!("  template:\n    data: {{made: '{template}'}}\n"), 1);
        let found = sealed::manifest::read(SecretBytes::from(text), "x.yaml", "").unwrap();
        open(&found[0], &keys(&[1])).map(|mut opened| opened.secrets.remove(0))
    };
    assert_eq!(with(r#"pw={{ index . "password" | b64enc }}"#).unwrap().data["made"].expose()[..6], *b"pw=Y29");
    let refusal = with("{{ range . }}x{{ end }}").unwrap_err();
    assert_eq!((refusal.reason, refusal.message.contains("range")), (Reason::TemplateUnsupported, true));
    assert_eq!(with("{{ .url | b64dec }}").unwrap_err().reason, Reason::TemplateFailed);
    let bomb = "{{ .url }}".repeat(40_000);
    assert_eq!(with(&bomb).unwrap_err().reason, Reason::TemplateFailed);
}

#[test]
fn keys_are_read_from_what_people_have() {
    let body = read("key2.pkcs8.base64");
    let secret = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "sealed-secrets-key"}, "stringData": {"tls.crt": "", "tls.key":
        format!("-----BEGIN PRIVATE {k}-----\n{body}-----END PRIVATE {k}-----\n", k = "KEY")}});
    let found = sealed::manifest::read(SecretBytes::from(secret.to_string()), "x.json", "").unwrap();
    let from_secret = RsaKey::from_secret(&found[0]).unwrap();
    assert_eq!(from_secret[0].fingerprint(), rsa(2)[0].fingerprint());
    // The old form of the same key: what the wrapper of PKCS #8 holds, from its 26th byte.
    let der = STANDARD.decode(body.replace('\n', "")).unwrap();
    let old = format!(
        "-----BEGIN RSA PRIVATE {k}-----\n{}\n-----END RSA PRIVATE {k}-----",
        STANDARD.encode(&der[26..]),
        k = "KEY"
    );
    assert_eq!(RsaKey::from_pem(&SecretBytes::from(old)).unwrap()[0].fingerprint(), rsa(2)[0].fingerprint());
    assert!(RsaKey::from_pem(&SecretBytes::from("nothing")).is_err());
    let broken = format!("-----BEGIN PRIVATE {k}-----\nAAAA\n-----END PRIVATE {k}-----", k = "KEY");
    assert!(RsaKey::from_pem(&SecretBytes::from(broken)).is_err());
    assert!(!format!("{:?}", rsa(1)).contains(&read("key1.pkcs8.base64")[..20]));
}
