//! All or nothing, as far as an API server can promise it: where a look has more than one write to make, each is asked
//! for as a dry run before the first is made, so that nobody's refusal (validation, a policy, a webhook, a quota, a role)
//! leaves half of a resource, or a Secret deleted that cannot be made anew.

use http::Method;
use kube::Client;
use sealed::{Action, DesiredSecret, LiveSecret, Plan, Precondition, Step};

use super::{APPLY, FIELD_MANAGER, Trial, application, body, creation, delete, manager, nothing, request, send};
use crate::cluster::fault::Fault;
use crate::cluster::live::path;

/// Asks for every write of the plan as a dry run; for none where there is but one, which fails or not as a whole.
///
/// # Errors
/// What the API server would refuse, as the write itself would.
pub(crate) async fn rehearse(client: &Client, namespace: &str, plan: &Plan, live: &[LiveSecret]) -> Result<(), Fault> {
    let writes = || plan.steps.iter().filter(|step| !matches!(step.action, Action::Keep { .. }));
    let is_single = writes().count() < 2 && !writes().any(|step| matches!(step.action, Action::Recreate(_)));
    if is_single {
        return Ok(());
    }
    for step in writes() {
        attempt(client, namespace, step, live.iter().find(|live| live.name == step.name)).await?;
    }
    Ok(())
}

async fn attempt(client: &Client, namespace: &str, step: &Step, live: Option<&LiveSecret>) -> Result<(), Fault> {
    let wanted = || step.secret.as_ref().ok_or_else(|| Fault::new("Internal", "a step without a Secret"));
    match &step.action {
        Action::Keep { .. } => Ok(()),
        Action::Create => create(client, wanted()?, false).await,
        Action::Recreate(at) => {
            delete(client, namespace, &step.name, at, Trial::Yes).await?;
            create(client, wanted()?, true).await
        }
        Action::Remove(at) => delete(client, namespace, &step.name, at, Trial::Yes).await,
        Action::Merge(at) => put(client, wanted()?, at, manager(step)).await,
        Action::Release(at) => put(client, &nothing(namespace, &step.name), at, manager(step)).await,
        Action::Replace(at) => match live {
            Some(live) => replace(client, wanted()?, at, live).await,
            None => put(client, wanted()?, at, FIELD_MANAGER).await,
        },
    }
}

/// `is_there`: one of this name is to be deleted before. That it is still there is what the API server looks at last,
/// when everybody who may refuse a Secret has agreed to it.
async fn create(client: &Client, secret: &DesiredSecret, is_there: bool) -> Result<(), Fault> {
    let doing = format!("create Secret {}", secret.name);
    let uri = format!("{}&dryRun=All", creation(&secret.namespace));
    let request = request(Method::POST, &uri, "application/json", body(secret, None, &doing)?, &doing)?;
    match client.request_text(request).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if is_there && status.is_already_exists() => Ok(()),
        Err(error) => Err(Fault::of(&doing, &error)),
    }
}

async fn put(client: &Client, secret: &DesiredSecret, at: &Precondition, manager: &str) -> Result<(), Fault> {
    let doing = format!("write Secret {}", secret.name);
    let uri = format!("{}&dryRun=All", application(secret, manager));
    send(client, Method::PATCH, &uri, APPLY, body(secret, Some(at), &doing)?, &doing).await.map(drop)
}

/// The real write takes two requests; what comes of both is asked for as one, by a patch with the same end.
async fn replace(client: &Client, secret: &DesiredSecret, at: &Precondition, live: &LiveSecret) -> Result<(), Fault> {
    let doing = format!("write Secret {}", secret.name);
    let bad = |error| Fault::new("Internal", format!("cannot {doing}: {error}"));
    let patch = secret.to_merge_patch(at, live).map_err(bad)?.expose().to_vec();
    let namespace = path(&secret.namespace);
    let uri = format!("{namespace}/{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&dryRun=All", secret.name);
    send(client, Method::PATCH, &uri, "application/merge-patch+json", patch, &doing).await.map(drop)
}
