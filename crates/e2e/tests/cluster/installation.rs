//! The cluster as tests find it: the shipped manifests of `controller/deploy` applied.

use serde_json::Value;
use std::path::PathBuf;
use std::sync::OnceLock;
use testkit::{ApiServer, fixtures};

/// The shared server with the overlay `cluster` installed, and the namespace of the fixtures.
pub(crate) fn cluster(test: &str) -> Option<&'static ApiServer> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    let server = ApiServer::shared(test)?;
    INSTALLED.get_or_init(|| {
        install(server, "overlays/cluster");
        server.apply(other_kinds());
        server.apply(namespace("prod"));
    });
    Some(server)
}

/// Applies one of the shipped folders and waits until its definitions are served.
pub(crate) fn install(server: &ApiServer, folder: &str) {
    server.apply(kustomized(server, folder));
    let words = ["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"];
    let waited = server.kubectl(words);
    assert!(waited.ok() || waited.errors().contains("no matching resources"), "{}", waited.errors());
}

/// What kustomize makes of one of the shipped folders.
pub(crate) fn kustomized(server: &ApiServer, folder: &str) -> String {
    let path = deploy(folder);
    let built = server.kubectl(["kustomize", path.to_str().expect("the path is text")]);
    assert!(built.ok(), "{folder}: {}", built.errors());
    built.text()
}

/// A file or folder of `controller/deploy`.
pub(crate) fn deploy(name: &str) -> PathBuf {
    fixtures::workspace().join("controller/deploy").join(name)
}

/// The objects of a YAML stream.
pub(crate) fn objects(yaml: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(yaml);
    let read = documents.map(|it| serde::Deserialize::deserialize(it).expect("it is YAML"));
    read.filter(|object: &Value| !object.is_null()).collect()
}

/// A namespace as a manifest.
pub(crate) fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

/// The kinds of the other projects, as loose as a definition can be: names and groups are all that matters here.
fn other_kinds() -> String {
    let loose = |group: &str, version: &str, kind: &str, plural: &str| {
        let kinds = format!("{{kind: {kind}, plural: {plural}, singular: {}}}", kind.to_lowercase());
        let schema = "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}";
        format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
             metadata: {{name: {plural}.{group}}}\nspec:\n  group: {group}\n  scope: Namespaced\n  names: {kinds}\n  \
             versions: [{{name: {version}, served: true, storage: true, subresources: {{status: {{}}}}, schema: {schema}}}]\n"
        )
    };
    let sealed = loose("bitnami.com", "v1alpha1", "SealedSecret", "sealedsecrets");
    sealed + &loose("isindir.github.com", "v1alpha3", "SopsSecret", "sopssecrets")
}
