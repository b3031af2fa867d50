//! The cluster as tests find it: the shipped manifests of `controller/deploy` applied.

pub(crate) use e2e::cluster::{deploy, install, kustomized};
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use testkit::ApiServer;

/// The shared server with the overlay `cluster` installed, and the namespace of the fixtures.
pub(crate) fn cluster(test: &str) -> Option<&'static ApiServer> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    let server = ApiServer::shared(test)?;
    INSTALLED.get_or_init(|| {
        install(server, "overlays/cluster");
        server.apply(other_kinds());
        let waited = server.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
        assert!(waited.ok(), "{}", waited.errors());
        server.start_controller_manager();
        server.apply(format!("{}---\n{}", namespace("prod"), namespace("apps")));
    });
    Some(server)
}

/// The fixtures are bound to the namespace `prod`: one test at a time uses it.
pub(crate) fn prod() -> MutexGuard<'static, ()> {
    static IN_USE: Mutex<()> = Mutex::new(());
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
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
pub(crate) fn other_kinds() -> String {
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
