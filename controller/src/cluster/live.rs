//! Secrets as they are, read by name. The text of an answer goes straight into memory that is wiped.

use kube::api::{GetParams, ListParams};
use kube::core::Request;
use kube::{Api, Client};
use sealed::{LiveSecret, Manifest};
use secret::SecretBytes;

use super::fault::Fault;
use super::kind::{Kind, SealedObject};

/// The path of the Secrets of a namespace.
pub(super) fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

/// The Secret of that name with its values, or none.
///
/// # Errors
/// When the API server does not answer, or does not let us read it.
pub(crate) async fn get(client: &Client, namespace: &str, name: &str) -> Result<Option<LiveSecret>, Fault> {
    let doing = format!("read Secret {name}");
    let request = Request::new(path(namespace)).get(name, &GetParams::default());
    let request = request.map_err(|error| Fault::new("ApiUnavailable", format!("cannot {doing}: {error}")))?;
    let text = match client.request_text(request).await {
        Ok(text) => SecretBytes::from(text),
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(None),
        Err(error) => return Err(Fault::of(&doing, &error)),
    };
    let bad = |error: sealed::ManifestError| Fault::new("ApiUnavailable", format!("cannot {doing}: {error}"));
    let manifest = Manifest::from_api(text).map_err(bad)?;
    LiveSecret::of(&manifest).map(Some).map_err(bad)
}

/// Uid and resource version of the Secret of that name, without its values, or none.
///
/// # Errors
/// As [`get`].
pub(crate) async fn version(client: &Client, namespace: &str, name: &str) -> Result<Option<(String, String)>, Fault> {
    let doing = format!("read the metadata of Secret {name}");
    let request = Request::new(path(namespace)).get_metadata(name, &GetParams::default());
    let request = request.map_err(|error| Fault::new("ApiUnavailable", format!("cannot {doing}: {error}")))?;
    match client.request::<Metadata>(request).await {
        Ok(found) => Ok(Some((found.metadata.uid, found.metadata.resource_version))),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(Fault::of(&doing, &error)),
    }
}

/// Whether there is certainly no resource of that kind and name. Asked as a list: that is what a controller may do.
pub(crate) async fn is_gone(client: &Client, kind: Kind, namespace: &str, name: &str) -> bool {
    let api: Api<SealedObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    match api.list(&ListParams::default().fields(&format!("metadata.name={name}")).limit(1)).await {
        Ok(found) => found.items.is_empty(),
        Err(kube::Error::Api(status)) => status.code == 404,
        Err(_) => false,
    }
}

/// Asks for an answer that holds the metadata only.
pub(super) const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// What every object tells.
#[derive(serde::Deserialize)]
pub(super) struct Metadata {
    pub(super) metadata: Version,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    pub(super) uid: String,
    pub(super) resource_version: String,
}
