//! What a resource is told about itself: its status, only when it says something new.

use http::Method;
use kube::Client;
use serde_json::json;

use super::FIELD_MANAGER;
use super::fault::Fault;
use super::kind::{Kind, SealedObject};
use super::live::{METADATA_ONLY, Metadata};

/// Writes a status. Ours is put in place of what is there; that of another kind is merged into it. Not by server-side
/// apply, which refuses the whole where a definition is older than this program and lacks a field: charts do not
/// upgrade definitions. Gives back the version of the object that came of it.
///
/// # Errors
/// When the API server does not take it.
pub(crate) async fn status(
    client: &Client,
    kind: Kind,
    object: &SealedObject,
    status: &serde_json::Value,
) -> Result<String, Fault> {
    let doing = format!("write the status of {kind:?} {}", object.name());
    // The uid: a resource of the same name made meanwhile must not get the status of its predecessor.
    let (content, body) = if kind.0.remembers() {
        let patch = json!([
            {"op": "test", "path": "/metadata/uid", "value": object.uid()},
            {"op": "add", "path": "/status", "value": status},
        ]);
        ("application/json-patch+json", patch)
    } else {
        ("application/merge-patch+json", json!({"metadata": {"uid": object.uid()}, "status": status}))
    };
    let uri = format!("{}/{}/status?fieldManager={FIELD_MANAGER}", kind.path(object.namespace()), object.name());
    let request = http::Request::builder().method(Method::PATCH).uri(uri).header(http::header::CONTENT_TYPE, content);
    let request = request.header(http::header::ACCEPT, METADATA_ONLY);
    let request = request.body(body.to_string().into_bytes());
    let request = request.map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
    let answer = client.request::<Metadata>(request).await.map_err(|error| Fault::of(&doing, &error))?;
    Ok(answer.metadata.resource_version)
}
