//! Answers `RewrapRequest`s: a file's data key, wrapped to the cluster's own current recipient, for somebody who holds no
//! key. `sealed::custody` checks the file as if it were to be applied; a caller can name no recipient.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::{Future, StreamExt as _};
use k8s_openapi::jiff;
use kube::api::{DeleteParams, GetParams, Preconditions};
use kube::core::Request;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::events::EventType;
use kube::runtime::watcher;
use kube::{Api, Resource as _, ResourceExt as _};
use sealed::custody::{self, RewrapRequest, RewrapRequestStatus, Rewrapped, Settings};
use sealed::status::Condition;
use sealed::{Manifest, Refusal};
use secret::SecretBytes;
use serde_json::json;
use tokio::sync::Semaphore;

use super::FIELD_MANAGER;
use super::asked::{Asked, object_in};
use super::budget::{self, Share};
use super::fault::Fault;
use super::kind::Kind;
use super::live::Metadata;
use super::reconcile::{API_LIMIT, Cluster, OPEN_LIMIT, now, unanswered};
use super::watch::PAGE;
use super::{aside, retry, shallow};

/// Between two answers: a bot that asks for a whole repository takes its time, and nobody else waits for it.
const PACE: Duration = Duration::from_millis(50);

/// What answers need.
pub(crate) struct Rewraps {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) settings: Arc<Settings>,
    /// One at a time, of all namespaces.
    pub(crate) turn: Arc<Semaphore>,
}

/// Answers requests in one namespace or all, until `stop`.
pub(crate) async fn run(
    rewraps: Arc<Rewraps>,
    namespace: Option<String>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let client = rewraps.cluster.client.clone();
    let api: Api<Asked> = match &namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let controller = Controller::new(api, watcher::Config::default().page_size(PAGE));
    let controller = controller.with_config(Config::default().concurrency(4)).graceful_shutdown_on(stop);
    controller.run(answer, |_, error, _| match *error {}, rewraps).for_each(|_| std::future::ready(())).await;
}

async fn answer(asked: Arc<Asked>, rewraps: Arc<Rewraps>) -> Result<Action, Infallible> {
    let request = &asked.request;
    if request.meta().deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let done = request.status.as_ref().filter(|status| status.observed_generation == request.meta().generation);
    if let Some(status) = done {
        return Ok(rewraps.expire(request, status).await);
    }
    let Ok(_turn) = rewraps.turn.acquire().await else { return Ok(Action::await_change()) };
    tokio::time::sleep(PACE).await;
    let age = asked.created().map_or(0, |created| now().0.saturating_sub(created));
    let opened = tokio::time::timeout(API_LIMIT, rewraps.open(&asked)).await;
    let answered = match opened.unwrap_or_else(|_| Err(unanswered())) {
        Ok(answered) => answered.map_err(No::from),
        // It was tried for as long as an answer would have been kept.
        Err(fault) if age >= i64::from(request.spec.ttl_seconds()) => Err(No::from(fault)),
        Err(fault) => {
            tracing::warn!(%fault, request = %name_of(request), "cannot answer a RewrapRequest");
            return Ok(Action::requeue(retry::after_age(age)));
        }
    };
    let told = tokio::time::timeout(API_LIMIT, rewraps.tell(request, &answered)).await;
    match told.unwrap_or_else(|_| Err(unanswered())) {
        Ok(()) => Ok(Action::requeue(Duration::from_secs(u64::from(request.spec.ttl_seconds())))),
        Err(fault) => {
            tracing::warn!(%fault, request = %name_of(request), "cannot write the answer to a RewrapRequest");
            Ok(Action::requeue(retry::after_age(age)))
        }
    }
}

/// Why there are no entries.
struct No {
    reason: &'static str,
    message: String,
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self { reason: refusal.reason.word(), message: refusal.message }
    }
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self { reason: fault.reason, message: fault.message }
    }
}

fn name_of(request: &RewrapRequest) -> String {
    format!("{}/{}", request.namespace().unwrap_or_default(), request.name_any())
}

impl Rewraps {
    /// The answer, or why there is none.
    async fn open(&self, asked: &Asked) -> Result<Result<Rewrapped, Refusal>, Fault> {
        let request = &asked.request;
        if !asked.is_whole {
            return Ok(Err(form(shallow::UNREADABLE)));
        }
        let namespace = request.namespace().unwrap_or_default();
        let resource = match (&request.spec.name, asked.has_object) {
            // It becomes part of a path, and whoever asks may read less than we.
            (Some(name), false) if !sealed::names::is_subdomain(name) => {
                return Ok(Err(form("spec.name is no name of an object")));
            }
            (Some(name), false) => self.named(&namespace, name).await?,
            (None, true) => Some(self.held(request, &namespace).await?),
            _ => return Ok(Err(form("either spec.name or spec.object is needed"))),
        };
        let Some(resource) = resource else { return Ok(Err(form("there is no EncryptedSecret of that name"))) };
        if !shallow::is_readable(&resource) {
            return Ok(Err(form(shallow::UNREADABLE)));
        }
        let Some(snapshot) = self.cluster.snapshots.borrow().clone() else {
            return Err(Fault::new("NotReady", "the keys have not been read yet"));
        };
        let settings = self.settings.clone();
        let share = self.share(&resource).await;
        let answer = move || {
            let _share = share;
            let resource = Manifest::from_api(SecretBytes::from(resource)).map_err(|error| form(&error.to_string()))?;
            let world = snapshot.world(&settings);
            custody::rewrap_entries(&resource, &namespace, &custody::keys(&world), &world)
        };
        aside::within(OPEN_LIMIT, answer).await
    }

    /// Waits for the memory that opening the resource may take.
    async fn share(&self, resource: &str) -> Share {
        loop {
            if let Some(share) = self.cluster.budget.take(budget::weight(resource)) {
                return share;
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// The text of an EncryptedSecret, none if it is not there.
    async fn named(&self, namespace: &str, name: &str) -> Result<Option<String>, Fault> {
        let Some(kind) = Kind::by_name("encryptedsecret") else { return Ok(None) };
        self.text(kind.path(namespace), name, "read the EncryptedSecret").await
    }

    /// The text of the object in a request.
    async fn held(&self, request: &RewrapRequest, namespace: &str) -> Result<String, Fault> {
        let path = RewrapRequest::url_path(&(), Some(namespace));
        let text = self.text(path, &request.name_any(), "read the RewrapRequest").await?;
        let object = text.and_then(|text| object_in(&text, &request.uid().unwrap_or_default()));
        object.ok_or_else(|| Fault::new("Conflict", "the request is another one by now"))
    }

    async fn text(&self, path: String, name: &str, doing: &str) -> Result<Option<String>, Fault> {
        let request = Request::new(path).get(name, &GetParams::default());
        let request = request.map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
        match self.cluster.client.request_text(request).await {
            Ok(text) => Ok(Some(text)),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
            Err(error) => Err(Fault::of(doing, &error)),
        }
    }

    async fn tell(&self, request: &RewrapRequest, answered: &Result<Rewrapped, No>) -> Result<(), Fault> {
        let generation = request.meta().generation;
        let condition = |status: &str, reason: &str, message: &str| Condition {
            type_: "Done".to_owned(),
            status: status.to_owned(),
            observed_generation: generation,
            last_transition_time: now().to_string(),
            reason: reason.to_owned(),
            message: sealed::status::message(message),
        };
        let mut status = RewrapRequestStatus {
            observed_generation: generation,
            completion_time: Some(now().to_string()),
            ..RewrapRequestStatus::default()
        };
        let (type_, reason, note) = match answered {
            Ok(rewrapped) => {
                let short: String = rewrapped.recipient.chars().rev().take(8).collect();
                status.key_id = Some(short.chars().rev().collect());
                status.age.clone_from(&rewrapped.age);
                let reason = if rewrapped.changed { "Rewrapped" } else { "Current" };
                status.conditions = vec![condition("True", reason, "")];
                (EventType::Normal, reason, format!("wrapped to {}", rewrapped.recipient))
            }
            Err(no) => {
                status.conditions = vec![condition("False", no.reason, &no.message)];
                (EventType::Warning, no.reason, no.message.clone())
            }
        };
        self.write(request, &status).await?;
        tracing::info!(target: "audit", request = %name_of(request), uid = request.uid(), result = reason, "rewrap");
        self.cluster.herald.tell(request.object_ref(&()), type_, reason, &note);
        Ok(())
    }

    async fn write(&self, request: &RewrapRequest, status: &RewrapRequestStatus) -> Result<(), Fault> {
        let doing = "write the answer";
        let (namespace, name) = (request.namespace().unwrap_or_default(), request.name_any());
        let body = json!({
            "apiVersion": "plomb.dev/v1alpha1", "kind": "RewrapRequest",
            "metadata": {"name": name, "namespace": namespace, "uid": request.uid()},
            "status": status,
        });
        let uri = format!(
            "/apis/plomb.dev/v1alpha1/namespaces/{namespace}/rewraprequests/{name}/status?fieldManager={FIELD_MANAGER}&force=true"
        );
        let put = http::Request::builder().method(http::Method::PATCH).uri(uri);
        let put = put.header(http::header::CONTENT_TYPE, "application/apply-patch+yaml");
        let put = put.body(body.to_string().into_bytes());
        let put = put.map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
        self.cluster.client.request::<Metadata>(put).await.map(|_| ()).map_err(|error| Fault::of(doing, &error))
    }

    /// Deletes an answered request once its time is over.
    async fn expire(&self, request: &RewrapRequest, status: &RewrapRequestStatus) -> Action {
        let completed = status.completion_time.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let age = completed.map_or(i64::MAX, |completed| now().0.saturating_sub(completed.as_second()));
        let left = i64::from(request.spec.ttl_seconds()).saturating_sub(age);
        if left > 0 {
            return Action::requeue(Duration::from_secs(u64::try_from(left).unwrap_or(1)));
        }
        let api: Api<RewrapRequest> =
            Api::namespaced(self.cluster.client.clone(), &request.namespace().unwrap_or_default());
        let preconditions = Some(Preconditions { uid: request.uid(), resource_version: request.resource_version() });
        let params = DeleteParams { preconditions, ..DeleteParams::default() };
        match api.delete(&request.name_any(), &params).await {
            Ok(_) => Action::await_change(),
            Err(error) => {
                tracing::warn!(fault = %Fault::of("delete a RewrapRequest", &error), "RewrapRequest kept");
                Action::requeue(retry::after_failure(9))
            }
        }
    }
}

fn form(what: &str) -> Refusal {
    Refusal::new(sealed::Reason::InvalidFormat, what)
}
