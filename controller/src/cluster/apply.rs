//! The only module that writes Secrets: creation, server-side apply, JSON patch with a test, and deletion with
//! preconditions.
//! Every write but a creation says which state of the Secret it was planned for, and fails if that is past. Where more
//! than one write is to be made, each is rehearsed before the first.

use http::Method;
use kube::Client;
use sealed::{Action, DesiredSecret, LiveSecret, ManagedEntry, Precondition, Step};
use serde_json::json;

use super::FIELD_MANAGER;
use super::fault::Fault;
use super::live::{METADATA_ONLY, Metadata, path};

mod rehearsal;

pub(crate) use rehearsal::rehearse;

/// Uid and resource version of a Secret after a write.
pub(crate) type Written = (String, String);

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
        Action::Create => create(client, wanted()?).await.map(Some),
        Action::Merge(at) if step.manager.is_some() => put(client, wanted()?, at, manager(step)).await.map(Some),
        Action::Merge(at) => {
            let at = amend(client, name, at, namespace, live.map(own_update).unwrap_or_default()).await?;
            put(client, wanted()?, &at, FIELD_MANAGER).await.map(Some)
        }
        Action::Replace(at) => {
            let secret = wanted()?;
            let amendments = live.map(|live| [own_update(live), surplus(secret, live)].concat());
            let at = amend(client, name, at, namespace, amendments.unwrap_or_default()).await?;
            put(client, secret, &at, FIELD_MANAGER).await.map(Some)
        }
        Action::Recreate(at) => {
            delete(client, namespace, name, at, Trial::No).await?;
            create(client, wanted()?).await.map(Some)
        }
        Action::Remove(at) => delete(client, namespace, name, at, Trial::No).await.map(|()| None),
        Action::Release(at) => put(client, &nothing(namespace, name), at, manager(step)).await.map(|_| None),
    }
}

fn manager(step: &Step) -> &str {
    step.manager.as_deref().unwrap_or(FIELD_MANAGER)
}

/// A plain creation: it fails if there is a Secret of that name, whoever wrote it, and costs the API server less than
/// an apply.
async fn create(client: &Client, secret: &DesiredSecret) -> Result<Written, Fault> {
    let doing = format!("create Secret {}", secret.name);
    let body = body(secret, None, &doing)?;
    send(client, Method::POST, &creation(&secret.namespace), "application/json", body, &doing).await
}

fn creation(namespace: &str) -> String {
    format!("{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict", path(namespace))
}

/// Server-side apply as `manager`, whose name needs no escaping in a query.
async fn put(client: &Client, secret: &DesiredSecret, at: &Precondition, manager: &str) -> Result<Written, Fault> {
    let doing = format!("write Secret {}", secret.name);
    let body = body(secret, Some(at), &doing)?;
    send(client, Method::PATCH, &application(secret, manager), APPLY, body, &doing).await
}

/// The content of server-side apply.
const APPLY: &str = "application/apply-patch+yaml";

fn application(secret: &DesiredSecret, manager: &str) -> String {
    format!("{}/{}?fieldManager={manager}&fieldValidation=Strict&force=true", path(&secret.namespace), secret.name)
}

/// What takes a resource's keys out of a Secret of others.
fn nothing(namespace: &str, name: &str) -> DesiredSecret {
    DesiredSecret { namespace: namespace.to_owned(), name: name.to_owned(), ..DesiredSecret::default() }
}

/// The client takes a plain vector; it is gone with the request.
fn body(secret: &DesiredSecret, at: Option<&Precondition>, doing: &str) -> Result<Vec<u8>, Fault> {
    let text = secret.to_json_at(at).map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
    Ok(text.expose().to_vec())
}

/// Fields of a Secret that we created count as written by an update, and an apply never takes those out: from now on
/// they count as applied.
fn own_update(live: &LiveSecret) -> Vec<serde_json::Value> {
    let of = |operation: &'static str| {
        move |entry: &ManagedEntry| {
            entry.manager == FIELD_MANAGER && entry.operation == operation && entry.subresource.is_empty()
        }
    };
    // There is one of each at most; beside an applied one ours has nothing that matters any more.
    let at = live.managed.iter().position(of("Update")).filter(|_| !live.managed.iter().any(of("Apply")));
    let replaced =
        |at| json!({"op": "replace", "path": format!("/metadata/managedFields/{at}/operation"), "value": "Apply"});
    at.map(replaced).into_iter().collect()
}

/// What server-side apply would leave: keys that others put in, and the reference to an owner that is gone.
fn surplus(secret: &DesiredSecret, live: &LiveSecret) -> Vec<serde_json::Value> {
    let keys = live.data.iter().flat_map(|data| data.keys()).filter(|key| !secret.data.contains_key(*key));
    let removed = |key: &String| json!({"op": "remove", "path": format!("/data/{}", pointer(key))});
    let mut patch: Vec<serde_json::Value> = keys.map(removed).collect();
    if live.owner.is_some() && secret.owner != live.owner {
        patch.push(json!({"op": "remove", "path": "/metadata/ownerReferences"}));
    }
    patch
}

/// Changes a Secret by JSON patch, if there is anything to change; gives back its state after that.
async fn amend(
    client: &Client,
    name: &str,
    at: &Precondition,
    namespace: &str,
    amendments: Vec<serde_json::Value>,
) -> Result<Precondition, Fault> {
    if amendments.is_empty() {
        return Ok(at.clone());
    }
    let mut patch = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": at.uid}),
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": at.resource_version}),
    ];
    patch.extend(amendments);
    let doing = format!("amend Secret {name}");
    let uri = format!("{}/{name}?fieldManager={FIELD_MANAGER}", path(namespace));
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

/// Whether the API server is only to say what it would do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    No,
    Yes,
}

async fn delete(client: &Client, namespace: &str, name: &str, at: &Precondition, trial: Trial) -> Result<(), Fault> {
    let doing = format!("delete Secret {name}");
    let mut body = json!({
        "apiVersion": "v1", "kind": "DeleteOptions",
        "preconditions": {"uid": at.uid, "resourceVersion": at.resource_version},
    });
    if trial == Trial::Yes {
        body["dryRun"] = json!(["All"]);
    }
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
