//! `seal`, `unseal`, `bind` and `convert`, run as a user runs them, with the real sops as second reader.

use testkit::{Canary, Outcome, Peer, Run, Scratch, fixtures::folder, peer};

const SECRETS: &str = "apiVersion: v1
kind: Secret
metadata: {name: db, namespace: prod, labels: {app: shop}}
stringData: {password: canary-0123456789, user: ann, y: 'yes'}
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: prod}
type: kubernetes.io/tls
data: {tls.crt: Y3J0, tls.key: AAECA/8=}
";

struct World {
    scratch: Scratch,
}

impl World {
    /// A repository whose rule is for sealed files, and a key.
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let (identity, recipient) = keys::generate_x25519(&mut secret::OsRandom::new());
        scratch.write("../keys.txt", identity.expose());
        let rule = "path_regex: \\.secret\\.(yaml|json)$\n    encrypted_regex: ^(data|stringData|binding)$\n    mac_only_encrypted: true";
        scratch.write(".sops.yaml", format!("creation_rules:\n  - {rule}\n    age: {recipient}\n"));
        scratch.write("secrets.yaml", SECRETS);
        Self { scratch }
    }

    fn run(&self, words: &[&str]) -> Run {
        let command = self.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(words);
        command.env("SOPS_AGE_KEY_FILE", self.scratch.root().join("keys.txt"))
    }

    fn plomb(&self, words: &[&str]) -> Outcome {
        self.run(words).run()
    }

    fn good(&self, words: &[&str]) -> String {
        let done = self.plomb(words);
        assert_eq!(done.code, Some(0), "{words:?}: {}", done.errors());
        done.text()
    }

    fn sops(&self, words: &[&str]) -> Option<Outcome> {
        let sops = Peer::Sops.find()?;
        let command = self.scratch.command(sops).args(words);
        Some(command.env("SOPS_AGE_KEY_FILE", self.scratch.root().join("keys.txt")).run())
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.scratch.path(name)).expect("it is there")
    }
}

#[test]
fn manifests_become_one_file_each() {
    let world = World::new("seal");
    let refused = world.plomb(&["seal", "secrets.yaml"]);
    assert!(refused.code == Some(64) && refused.errors().contains("--output-dir"), "{}", refused.errors());
    world.good(&["seal", "secrets.yaml", "--output-dir", "sealed"]);
    let canary = Canary::new(&["canary-0123456789"]);
    assert!(canary.files_with_it(&world.scratch.path("sealed"), &[]).is_empty());
    let again = world.plomb(&["seal", "secrets.yaml", "--output-dir", "sealed"]);
    assert!(again.code == Some(3) && again.errors().contains("--force"), "{}", again.errors());
    let opened = world.good(&["unseal", "sealed"]);
    assert_eq!(opened.matches("kind: Secret\n").count(), 2);
    assert!(opened.contains("  tls.key: AAECA/8=\n") && opened.contains("type: kubernetes.io/tls\n"), "{opened}");
    assert!(opened.contains("    app: shop\n") && opened.contains("  \"y\": eWVz\n"), "{opened}");
    world.good(&["verify", "sealed"]);
    let status = world.good(&["status", "sealed"]);
    assert!(status.lines().all(|line| line.ends_with("\t-")), "no drift: {status}");
}

#[test]
fn a_secret_is_made_as_kubectl_makes_it() {
    let world = World::new("seal-flags");
    world.scratch.write("ca.crt", [0xff, 0x00]);
    world.scratch.write("more.env", "A=1\nB=two words\n");
    let flags = [
        "seal",
        "--name",
        "made",
        "-n",
        "prod",
        "--from-stdin",
        "password",
        "--from-file",
        "ca.crt",
        "--from-file",
        "other=ca.crt",
        "--from-env-file",
        "more.env",
        "--label",
        "app=x",
        "--immutable",
        "-o",
        "made.secret.yaml",
    ];
    let done = world.run(&flags).stdin("canary-0123456789\n").run();
    assert_eq!(done.code, Some(0), "{}", done.errors());
    let opened = world.good(&["unseal", "made.secret.yaml"]);
    let wanted = "immutable: true\ndata:\n  A: MQ==\n  B: dHdvIHdvcmRz\n  ca.crt: /wA=\n  other: /wA=\n  password: Y2FuYXJ5LTAxMjM0NTY3ODk=\n";
    assert!(opened.ends_with(wanted), "{opened}");
    for (words, part) in [
        (vec!["seal", "--name", "x", "-n", "p", "--from-literal", "a=b"], "--value-in-argv"),
        (vec!["seal", "--name", "x", "--from-literal", "a=b", "--value-in-argv"], "--namespace"),
        (vec!["seal", "--name", "x", "-n", "p", "--from-file", "ca.crt", "--from-file", "ca.crt"], "given twice"),
        (vec!["seal"], "no Secret to seal"),
        (vec!["seal", "--name", "X", "-n", "p", "--from-file", "ca.crt"], "X"),
    ] {
        let done = world.plomb(&words);
        assert!(!done.ok() && done.errors().contains(part), "{words:?}: {}", done.errors());
        assert!(done.text().is_empty());
    }
    let cluster = world.good(&["seal", "--name", "x", "--scope", "cluster", "--from-file", "ca.crt"]);
    assert!(cluster.contains("kind: EncryptedSecret\n"));
}

#[test]
fn an_encrypted_secret_is_sealed_without_lying_in_clear() {
    let world = World::new("seal-sops");
    world.scratch.write("flux.secret.yaml", &SECRETS[..SECRETS.find("---").unwrap()]);
    world.good(&["encrypt", "-i", "flux.secret.yaml"]);
    let sealed = world.good(&["seal", "flux.secret.yaml"]);
    world.scratch.write("sealed.secret.yaml", sealed);
    assert!(world.good(&["unseal", "sealed.secret.yaml"]).contains("password: Y2FuYXJ5LTAxMjM0NTY3ODk="));
}

#[test]
fn edits_of_plomb_keep_the_file_bound() {
    let world = World::new("seal-edit");
    world.good(&["seal", "secrets.yaml", "--resource", "shop", "-o", "shop.secret.yaml"]);
    let before = world.text("shop.secret.yaml");
    let path = r#"["spec"]["secrets"]["db"]["stringData"]["a-new"]"#;
    world.good(&["set", "--string", "--value-in-argv", "shop.secret.yaml", path, "one"]);
    assert!(world.good(&["unseal", "shop.secret.yaml"]).contains("  a-new: b25l\n  password: "));
    world.good(&["unset", "shop.secret.yaml", path]);
    world.good(&["unseal", "shop.secret.yaml"]);
    let editor = world.scratch.script("editor.sh", "#!/bin/sh\nsed -i 's/user: ann/login: ann/' \"$1\"\n");
    let edited = world.run(&["edit", "shop.secret.yaml"]).env("EDITOR", editor).run();
    assert_eq!(edited.code, Some(0), "{}", edited.errors());
    assert!(world.good(&["unseal", "shop.secret.yaml"]).contains("  login: YW5u\n"));
    // What was not touched keeps its ciphertext through all of it.
    let token = |text: &str| text.lines().find(|line| line.contains("password:")).unwrap().to_owned();
    assert_eq!(token(&before), token(&world.text("shop.secret.yaml")));
}

#[test]
fn readers_change_and_what_is_encrypted_follows_from_the_kind() {
    let world = World::new("seal-readers");
    world.good(&["seal", "secrets.yaml", "--output-dir", "sealed"]);
    let (_, colleague) = keys::generate_x25519(&mut secret::OsRandom::new());
    let own = world.text(".sops.yaml").split("age: ").nth(1).unwrap().trim().to_owned();
    for selector in ["encrypted_regex: ^(data|stringData)$", "path_regex: .*"] {
        let rule = format!("creation_rules:\n  - {selector}\n    age: {own},{colleague}\n");
        world.scratch.write(".sops.yaml", rule);
        world.good(&["updatekeys", "-y", "sealed"]);
        let text = world.text("sealed/db.secret.yaml");
        assert!(text.contains(&colleague) && text.contains("mac_only_encrypted: true"), "{text}");
        assert!(!text.contains("namespace: ENC[") && text.contains("kind: EncryptedSecret"), "{text}");
        let opened = world.good(&["unseal", "sealed"]);
        assert_eq!(opened.matches("kind: Secret\n").count(), 2);
        assert!(world.good(&["updatekeys", "-y", "sealed"]).is_empty());
    }
}

#[test]
fn an_edit_does_not_bless_what_somebody_else_changed() {
    let world = World::new("seal-bless");
    world.good(&["seal", "secrets.yaml", "--resource", "shop", "-o", "shop.secret.yaml"]);
    world.scratch.write("shop.secret.yaml", world.text("shop.secret.yaml").replace("app: shop", "app: evil"));
    let path = r#"["spec"]["secrets"]["db"]["stringData"]["user"]"#;
    let done = world.plomb(&["set", "--string", "--value-in-argv", "shop.secret.yaml", path, "bob"]);
    assert!(done.ok() && done.errors().contains("plomb bind"), "{}", done.errors());
    assert!(world.plomb(&["unseal", "shop.secret.yaml"]).errors().contains("ShapeMismatch"));
    world.good(&["bind", "shop.secret.yaml"]);
    assert!(world.good(&["unseal", "shop.secret.yaml"]).contains("app: evil"));
}

#[test]
fn binding_puts_keys_in_quotes_that_kubectl_misreads() {
    let world = World::new("seal-quotes");
    world.scratch.write(
        "odd.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: odd, namespace: prod}\nstringData: {'y': a, z: b}\n",
    );
    world.good(&["seal", "odd.yaml", "-o", "odd.secret.yaml"]);
    let sealed = world.text("odd.secret.yaml");
    let careless = sealed.replace("\"y\": ENC[", "y: ENC[");
    assert_ne!(sealed, careless);
    world.scratch.write("odd.secret.yaml", &careless);
    let bound = world.plomb(&["bind", "odd.secret.yaml"]);
    assert!(bound.ok() && bound.errors().contains("put in quotes"), "{}", bound.errors());
    assert!(world.text("odd.secret.yaml").contains("\"y\": ENC["), "{}", world.text("odd.secret.yaml"));
    assert!(world.good(&["unseal", "odd.secret.yaml"]).contains("  \"y\": YQ==\n"));
    assert!(world.plomb(&["bind", "odd.secret.yaml"]).errors().contains("fits already"));
    // A template that no cluster could fill is told.
    let broken = world.text("odd.secret.yaml").replacen(
        "      stringData:\n",
        "      template:\n        t: ${k\n      stringData:\n",
        1,
    );
    world.scratch.write("odd.secret.yaml", &broken);
    let warned = world.plomb(&["bind", "odd.secret.yaml"]).errors();
    assert!(warned.contains("a cluster will refuse it: TemplateFailed") && warned.contains("template t"), "{warned}");
}

#[test]
fn a_decrypted_resource_is_encrypted_again_as_one() {
    let world = World::new("seal-encrypt");
    let rule = world.text(".sops.yaml").replace("|binding", "").replace("    mac_only_encrypted: true\n", "");
    world.scratch.write(".sops.yaml", rule);
    world.good(&["seal", "secrets.yaml", "--resource", "shop", "-o", "shop.secret.yaml"]);
    world.good(&["decrypt", "-i", "shop.secret.yaml"]);
    world.good(&["encrypt", "-i", "shop.secret.yaml"]);
    world.good(&["unseal", "shop.secret.yaml"]);
    assert!(world.good(&["status", "shop.secret.yaml"]).ends_with("\t-\n"));
}

#[test]
fn a_moved_file_is_bound_on_request_only() {
    let world = World::new("seal-move");
    world.good(&["seal", "secrets.yaml", "--resource", "shop", "-o", "shop.secret.yaml"]);
    world
        .scratch
        .write("shop.secret.yaml", world.text("shop.secret.yaml").replace("namespace: prod", "namespace: stage"));
    assert!(world.plomb(&["unseal", "shop.secret.yaml"]).errors().contains("BindingMismatch"));
    let refused = world.plomb(&["bind", "shop.secret.yaml"]);
    assert!(refused.code == Some(1) && refused.errors().contains("--move"), "{}", refused.errors());
    let dry = world.plomb(&["bind", "--move", "--dry-run", "shop.secret.yaml"]);
    assert!(dry.ok() && world.plomb(&["unseal", "shop.secret.yaml"]).code == Some(1));
    world.good(&["bind", "--move", "shop.secret.yaml"]);
    assert!(world.good(&["unseal", "shop.secret.yaml"]).contains("namespace: stage"));
    world.good(&["bind", "--scope", "cluster", "shop.secret.yaml"]);
    let anywhere = world.text("shop.secret.yaml").replace("namespace: stage", "namespace: x");
    world.scratch.write("shop.secret.yaml", anywhere);
    world.good(&["unseal", "shop.secret.yaml"]);
}

#[test]
fn the_real_sops_opens_and_changes_what_is_sealed() {
    let Some([_]) = peer::require("the_real_sops_opens_and_changes_what_is_sealed", [Peer::Sops]) else { return };
    let world = World::new("seal-real");
    world.good(&["seal", "secrets.yaml", "--resource", "shop", "-o", "shop.secret.yaml"]);
    let opened = world.sops(&["decrypt", "shop.secret.yaml"]).unwrap();
    assert!(opened.ok() && opened.text().contains("password: canary-0123456789"), "{}", opened.errors());
    let place = |key: &str| format!(r#"["spec"]["secrets"]["db"]["stringData"]["{key}"]"#);
    assert!(world.sops(&["set", "shop.secret.yaml", &place("user"), "\"bob\""]).unwrap().ok());
    assert!(world.good(&["unseal", "shop.secret.yaml"]).contains("  user: Ym9i\n"), "a value needs no bind");
    assert!(world.sops(&["set", "shop.secret.yaml", &place("a-key"), "\"x\""]).unwrap().ok());
    let refused = world.plomb(&["unseal", "shop.secret.yaml"]);
    assert!(refused.code == Some(51) && refused.errors().contains("KeyOrder"), "{}", refused.errors());
    world.good(&["bind", "shop.secret.yaml"]);
    assert!(world.good(&["unseal", "shop.secret.yaml"]).contains("  a-key: eA==\n"));
    assert!(world.sops(&["unset", "shop.secret.yaml", &place("user")]).unwrap().ok());
    assert!(world.plomb(&["unseal", "shop.secret.yaml"]).errors().contains("ShapeMismatch"));
    world.good(&["bind", "shop.secret.yaml"]);
    world.good(&["unseal", "shop.secret.yaml"]);
    assert!(world.sops(&["decrypt", "shop.secret.yaml"]).unwrap().ok());
    peer::peer_test_ran("the_real_sops_opens_and_changes_what_is_sealed");
}

/// The `data` of every Secret in a text, in order.
fn data(text: &str) -> Vec<String> {
    text.split("\ndata:\n").skip(1).map(|part| part.split("---").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn sealed_secrets_are_converted_to_the_same_secrets() {
    let world = World::new("convert-bitnami");
    let body = std::fs::read_to_string(folder("sealed-secrets").join("key1.pkcs8.base64")).unwrap();
    world
        .scratch
        .write("../key.pem", format!("-----BEGIN PRIVATE {k}-----\n{body}-----END PRIVATE {k}-----\n", k = "KEY"));
    let key = world.scratch.root().join("key.pem");
    let key = ["--key", key.to_str().unwrap()];
    for name in ["db.strict", "db.namespace-wide", "db.cluster-wide", "tls.strict", "dockercfg.strict"] {
        let text = std::fs::read_to_string(folder("sealed-secrets").join(format!("{name}.sealed.yaml"))).unwrap();
        world.scratch.write(&format!("{name}.secret.yaml"), text);
        let file = format!("{name}.secret.yaml");
        let before = world.good(&[&["unseal"], &key[..], &[&file]].concat());
        world.good(&[&["convert", "--in-place"], &key[..], &[&file]].concat());
        let after = world.good(&["unseal", &file]);
        assert_eq!(before, after, "{name}");
        if let Some(opened) = world.sops(&["decrypt", &file]) {
            assert!(opened.ok(), "{name}: {}", opened.errors());
        }
    }
    assert!(world.text("db.cluster-wide.secret.yaml").contains("kind: EncryptedSecret"));
    let nothing = world.plomb(&["convert", "--in-place", "db.strict.secret.yaml"]);
    assert!(!nothing.ok() && nothing.errors().contains("nothing to convert"), "{}", nothing.errors());
}

#[test]
fn sops_secrets_and_encrypted_secrets_are_converted() {
    let world = World::new("convert-sops");
    let identity = std::fs::read_to_string(folder("keys/identities").join("k1.txt")).unwrap();
    let own = std::fs::read_to_string(world.scratch.root().join("keys.txt")).unwrap();
    world.scratch.write("../keys.txt", format!("{own}\n{identity}"));
    for (name, end) in [
        ("suffix", "yaml"),
        ("regex", "yaml"),
        ("regex", "json"),
        ("mac-only-encrypted", "yaml"),
        ("key-groups", "yaml"),
    ] {
        let file = folder("sops-secrets").join(format!("{name}.{end}"));
        let before = world.good(&["unseal", file.to_str().unwrap()]);
        let to = format!("{name}-{end}.secret.{end}");
        world.good(&["convert", file.to_str().unwrap(), "-o", &to]);
        let after = world.good(&["unseal", &to]);
        assert_eq!(data(&before), data(&after), "{name}");
        assert_eq!(data(&after).len(), 3);
        if let Some(opened) = world.sops(&["decrypt", &to]) {
            assert!(opened.ok(), "{name}: {}", opened.errors());
        }
        assert_eq!(world.text(&to).starts_with('{'), end == "json", "the text is what the name says");
    }
    world.good(&["bind", "--scope", "cluster", "regex-json.secret.json"]);
    assert_eq!(data(&world.good(&["unseal", "regex-json.secret.json"])).len(), 3);
    let flux = folder("flux-secrets").join("grafana.yaml");
    world.good(&["convert", flux.to_str().unwrap(), "-o", "grafana.secret.yaml"]);
    let opened = world.good(&["unseal", "grafana.secret.yaml"]);
    assert!(
        opened.contains("  admin-password: aHVudGVyMi1hbmQtbW9yZQ==\n  blob: AAECA/8AgH9/\n  \"y\": b24=\n"),
        "{opened}"
    );
}

#[test]
fn a_whole_repository_is_converted() {
    let world = World::new("convert-all");
    let identity = std::fs::read_to_string(folder("keys/identities").join("k1.txt")).unwrap();
    let own = std::fs::read_to_string(world.scratch.root().join("keys.txt")).unwrap();
    world.scratch.write("../keys.txt", format!("{own}\n{identity}"));
    let read = |path: &str| std::fs::read_to_string(folder(path)).unwrap();
    world.scratch.write("apps/app/app.secret.yaml", read("sops-secrets/suffix.yaml"));
    world.scratch.write("apps/grafana/grafana.secret.yaml", read("flux-secrets/grafana.yaml"));
    world.scratch.write("apps/web/deployment.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n");
    world.scratch.write("apps/chart/templates/x.yaml", "{{ not }} yaml: [\n");
    world.good(&["convert", "--in-place", "apps"]);
    assert_eq!(world.good(&["unseal", "apps"]).matches("kind: Secret\n").count(), 4);
    assert!(world.text("apps/web/deployment.yaml").contains("Deployment"));
    // One file that cannot be converted keeps all of them as they are.
    world.scratch.write("apps/app/app.secret.yaml", read("sops-secrets/suffix.yaml"));
    world.scratch.write(
        "apps/bad/bad.secret.yaml",
        read("sops-secrets/regex.yaml").replace("kind: SopsSecret", "kind: SopsSecret ").replace("app-db", "app-dc"),
    );
    let refused = world.plomb(&["convert", "--in-place", "apps"]);
    assert!(refused.code == Some(51) && refused.errors().contains("bad.secret.yaml"), "{}", refused.errors());
    assert!(world.text("apps/app/app.secret.yaml").contains("kind: SopsSecret"));
}
