//! What a resource is told about itself, and its people: the status, and an event, each only when it says something new.

use http::Method;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder};
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

/// Longest note that the API server takes.
const NOTE_LIMIT: usize = 1024;

/// Publishes an event about a resource. Events are a courtesy: one that cannot be written is logged and left.
pub(crate) async fn event(recorder: &Recorder, about: &ObjectReference, type_: EventType, reason: &str, note: &str) {
    let mut note = note.to_owned();
    if note.len() > NOTE_LIMIT {
        let end = (0..=NOTE_LIMIT - 3).rev().find(|at| note.is_char_boundary(*at)).unwrap_or_default();
        note.truncate(end);
        note.push('…');
    }
    let event =
        Event { type_, reason: reason.to_owned(), note: Some(note), action: "Reconcile".to_owned(), secondary: None };
    if let Err(error) = recorder.publish(&event, about).await {
        tracing::warn!(error = %Fault::of("publish an event", &error), "event lost");
    }
}
