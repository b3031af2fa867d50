//! The only module that writes Secrets: server-side apply, JSON patch with a test, and deletion with preconditions.
//! Every write but a creation says which state of the Secret it was planned for, and fails if that is past.

use http::Method;
use kube::Client;
use sealed::{Action, DesiredSecret, LiveSecret, Precondition, Step};
use serde_json::json;

use super::FIELD_MANAGER;
use super::fault::Fault;
use super::live::{Metadata, path};

/// Uid and resource version of a Secret after a write.
pub(crate) type Written = (String, String);

/// An answer without the values that were just sent.
const METADATA_ONLY: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Takes one step of a plan. `live` is the Secret that the plan was made for. `None`: there is no such Secret now.
///
/// # Errors
/// With the reason; [`Fault::is_race`] when the Secret is no longer what the plan was made for.
pub(crate) async fn take(
    client: &Client,
    namespace: &str,
    step: &Step,
    live: Option<&LiveSecret>,
) -> Result<Option<Written>, Fault> {
    let wanted = || step.secret.as_ref().ok_or_else(|| Fault::new("Internal", "a step without a Secret"));
    let name = step.name.as_str();
    match &step.action {
        Action::Keep { .. } => Ok(live.map(|live| (live.uid.clone(), live.resource_version.clone()))),
        Action::Create => put(client, wanted()?, None, false).await.map(Some),
        Action::Merge(at) => put(client, wanted()?, Some(at), true).await.map(Some),
        Action::Replace(at) => {
            let secret = wanted()?;
            let at = strip(client, secret, at, live).await?;
            put(client, secret, Some(&at), true).await.map(Some)
        }
        Action::Recreate(at) => {
            delete(client, namespace, name, at).await?;
            put(client, wanted()?, None, false).await.map(Some)
        }
        Action::Remove(at) => delete(client, namespace, name, at).await.map(|()| None),
    }
}

/// Server-side apply. Without a precondition it must not take a field from anybody.
async fn put(
    client: &Client,
    secret: &DesiredSecret,
    at: Option<&Precondition>,
    force: bool,
) -> Result<Written, Fault> {
    let doing = format!("write Secret {}", secret.name);
    let internal = |error: String| Fault::new("Internal", format!("cannot {doing}: {error}"));
    let body = secret.to_json_at(at).map_err(|error| internal(error.to_string()))?;
    let uri = format!(
        "{}/{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}",
        path(&secret.namespace),
        secret.name
    );
    // The client takes a plain vector; it is gone with the request.
    send(client, Method::PATCH, &uri, "application/apply-patch+yaml", body.expose().to_vec(), &doing).await
}

/// Takes out what server-side apply would leave: keys that others put in, and the reference to an owner that is gone.
async fn strip(
    client: &Client,
    secret: &DesiredSecret,
    at: &Precondition,
    live: Option<&LiveSecret>,
) -> Result<Precondition, Fault> {
    let keys = live.and_then(|live| live.data.as_ref()).into_iter().flat_map(|data| data.keys());
    let surplus = keys.filter(|key| !secret.data.contains_key(*key));
    let mut patch: Vec<serde_json::Value> =
        surplus.map(|key| json!({"op": "remove", "path": format!("/data/{}", pointer(key))})).collect();
    let owner = live.and_then(|live| live.owner.as_ref());
    if owner.is_some_and(|owner| secret.owner.as_ref() != Some(owner)) {
        patch.push(json!({"op": "remove", "path": "/metadata/ownerReferences"}));
    }
    if patch.is_empty() {
        return Ok(at.clone());
    }
    patch.insert(0, json!({"op": "test", "path": "/metadata/uid", "value": at.uid}));
    patch.insert(1, json!({"op": "test", "path": "/metadata/resourceVersion", "value": at.resource_version}));
    let doing = format!("clean Secret {}", secret.name);
    let uri = format!("{}/{}?fieldManager={FIELD_MANAGER}", path(&secret.namespace), secret.name);
    let body = serde_json::Value::from(patch).to_string().into_bytes();
    let (uid, resource_version) =
        send(client, Method::PATCH, &uri, "application/json-patch+json", body, &doing).await.map_err(failed_test)?;
    Ok(Precondition { uid, resource_version })
}

/// A JSON patch whose test fails is answered like one that makes no sense; ours does.
fn failed_test(fault: Fault) -> Fault {
    if fault.reason == "InvalidSecret" { Fault::new("Conflict", fault.message) } else { fault }
}

/// RFC 6901.
fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

async fn delete(client: &Client, namespace: &str, name: &str, at: &Precondition) -> Result<(), Fault> {
    let doing = format!("delete Secret {name}");
    let body = json!({
        "apiVersion": "v1", "kind": "DeleteOptions",
        "preconditions": {"uid": at.uid, "resourceVersion": at.resource_version},
    });
    let uri = format!("{}/{name}", path(namespace));
    let request = request(Method::DELETE, &uri, "application/json", body.to_string().into_bytes(), &doing)?;
    match client.request_text(request).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(Fault::of(&doing, &error)),
    }
}

async fn send(
    client: &Client,
    method: Method,
    uri: &str,
    content: &str,
    body: Vec<u8>,
    doing: &str,
) -> Result<Written, Fault> {
    let request = request(method, uri, content, body, doing)?;
    let answer: Metadata = client.request(request).await.map_err(|error| Fault::of(doing, &error))?;
    Ok((answer.metadata.uid, answer.metadata.resource_version))
}

fn request(
    method: Method,
    uri: &str,
    content: &str,
    body: Vec<u8>,
    doing: &str,
) -> Result<http::Request<Vec<u8>>, Fault> {
    let request = http::Request::builder().method(method).uri(uri);
    let request = request.header(http::header::ACCEPT, METADATA_ONLY).header(http::header::CONTENT_TYPE, content);
    request.body(body).map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))
}
