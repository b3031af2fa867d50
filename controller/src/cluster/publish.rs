//! What a resource is told about itself: its status, only when it says something new.

use http::Method;
use kube::Client;
use serde_json::json;

use super::FIELD_MANAGER;
use super::fault::Fault;
use super::kind::{Kind, SealedObject};
use super::live::Metadata;

/// Writes a status. Ours is applied whole under our name; that of another kind is merged into what is there.
///
/// # Errors
/// When the API server does not take it.
pub(crate) async fn status(
    client: &Client,
    kind: Kind,
    object: &SealedObject,
    status: &serde_json::Value,
) -> Result<(), Fault> {
    let doing = format!("write the status of {kind:?} {}", object.name());
    let (content, force) = if kind.0.remembers() {
        ("application/apply-patch+yaml", "&force=true")
    } else {
        ("application/merge-patch+json", "")
    };
    let body = json!({
        "apiVersion": format!("{}/{}", kind.0.group(), kind.0.version()),
        "kind": kind.0.kind(),
        // The uid: a resource of the same name made meanwhile must not get the status of its predecessor.
        "metadata": {"name": object.name(), "namespace": object.namespace(), "uid": object.uid()},
        "status": status,
    });
    let uri = format!("{}/{}/status?fieldManager={FIELD_MANAGER}{force}", kind.path(object.namespace()), object.name());
    let request = http::Request::builder().method(Method::PATCH).uri(uri).header(http::header::CONTENT_TYPE, content);
    let request = request.body(body.to_string().into_bytes());
    let request = request.map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
    client.request::<Metadata>(request).await.map(|_| ()).map_err(|error| Fault::of(&doing, &error))
}
