//! Is it installed: API server, kinds, rights, a leader.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ListParams, PostParams};
use kube::{Api, core::Request};

use super::resources::Page;
use super::{Finding, Patient};
use crate::cluster::fault::said;
use crate::cluster::settings::Profile;
use crate::outcome::Failure;

/// A lease that nobody renewed for so long has no holder.
const LEASE_SECONDS: u64 = 15;

/// One right that the controller needs: verb, group, resource with sub-resource.
struct Right {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    scope: Scope,
}

/// Where a right is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// In the controller's own namespace.
    Own,
    /// Wherever it watches.
    Watched,
    /// Wherever it watches, for the profile `watch` only.
    WatchedSecrets,
    /// For objects without a namespace, which a namespaced installation does not touch.
    Cluster,
}

const fn right(verb: &'static str, group: &'static str, resource: &'static str, scope: Scope) -> Right {
    Right { verb, group, resource, scope }
}

const RIGHTS: [Right; 22] = [
    right("get", "", "secrets", Scope::Own),
    right("list", "", "secrets", Scope::Own),
    right("watch", "", "secrets", Scope::Own),
    right("create", "", "secrets", Scope::Own),
    right("patch", "", "secrets", Scope::Own),
    right("create", "", "configmaps", Scope::Own),
    right("create", "coordination.k8s.io", "leases", Scope::Own),
    right("get", "", "secrets", Scope::Watched),
    right("create", "", "secrets", Scope::Watched),
    right("patch", "", "secrets", Scope::Watched),
    right("delete", "", "secrets", Scope::Watched),
    right("list", "", "secrets", Scope::WatchedSecrets),
    right("watch", "", "secrets", Scope::WatchedSecrets),
    right("create", "events.k8s.io", "events", Scope::Watched),
    right("list", "plomb.dev", "rewraprequests", Scope::Watched),
    right("watch", "plomb.dev", "rewraprequests", Scope::Watched),
    right("patch", "plomb.dev", "rewraprequests/status", Scope::Watched),
    right("delete", "plomb.dev", "rewraprequests", Scope::Watched),
    right("get", "plomb.dev", "clusterrecipients", Scope::Cluster),
    right("create", "plomb.dev", "clusterrecipients", Scope::Cluster),
    right("patch", "plomb.dev", "clusterrecipients", Scope::Cluster),
    right("patch", "plomb.dev", "clusterrecipients/status", Scope::Cluster),
];

/// What is asked of each kind of sealed resource.
const OF_KIND: [(&str, &str); 4] = [("get", ""), ("list", ""), ("watch", ""), ("patch", "/status")];

fn not_granted((verb, group, resource, namespace): &(&str, &str, String, String)) -> Finding {
    let place = if namespace.is_empty() { "all namespaces".to_owned() } else { format!("namespace {namespace}") };
    let what = if group.is_empty() { resource.clone() } else { format!("{resource}.{group}") };
    Finding::wrong("rights", format!("the controller may not {verb} {what} in {place}"))
        .next("apply the roles of controller/deploy that fit how it was installed")
}

impl Patient {
    pub(super) async fn server(&self) -> Result<Finding, Failure> {
        let version = self.client.apiserver_version().await;
        let version =
            version.map_err(|error| Failure::new(format!("the API server does not answer: {}", said(&error))))?;
        Ok(Finding::fine("server", format!("Kubernetes {}", version.git_version)))
    }

    /// Whether each kind is known and may be listed.
    pub(super) async fn kinds(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for kind in &self.args.kinds {
            let path = format!("/apis/{}/{}/{}", kind.0.group(), kind.0.version(), kind.0.plural());
            let ours = kind.0.remembers();
            let list = Request::new(path).list(&ListParams::default().limit(1));
            let Ok(list) = list else { continue };
            let asked = self.client.request::<Page>(list).await;
            findings.push(match asked {
                Ok(_) => Finding::fine("kinds", format!("{kind:?} is known")),
                // Somebody who may list in some namespaces only.
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    Finding::fine("kinds", format!("{kind:?} is known, or we may not ask"))
                }
                Err(kube::Error::Api(status)) if status.code == 404 && ours => {
                    Finding::wrong("kinds", format!("{kind:?} is not known to the API server"))
                        .next("plomb-controller crd | kubectl apply --server-side -f -")
                }
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    Finding::note("kinds", format!("{kind:?} is not known; nothing to do for it"))
                }
                Err(error) => Finding::wrong("kinds", format!("{kind:?} cannot be listed: {}", said(&error))),
            });
        }
        findings
    }

    /// Whether the controller may do what it has to, and the namespaces in which it may do nothing at all.
    pub(super) async fn rights(&self) -> (Vec<Finding>, Vec<String>) {
        let mut missing = self.missing().await;
        let gone = |name: &String| {
            Finding::wrong("rights", format!("namespace {name} is to be watched and does not exist"))
                .next("create it, or take it out of --watch-namespace")
        };
        let mut findings: Vec<Finding> = missing.iter().map(gone).collect();
        let (mut granted, mut denied) = (BTreeMap::<String, usize>::new(), Vec::new());
        let own = self.is_pod || self.is_account().await;
        for (verb, group, resource, namespace) in self.needed() {
            if missing.contains(&namespace) {
                continue;
            }
            match self.may(own, verb, group, &resource, &namespace).await {
                Ok(true) => *granted.entry(namespace).or_default() += 1,
                Ok(false) => denied.push((verb, group, resource, namespace)),
                Err(why) => {
                    let unknown = Finding::wrong("rights", format!("nobody tells us what the controller may: {why}"));
                    let hint = "ask with the controller's own token, or one that may create subjectaccessreviews";
                    findings.push(unknown.next(hint));
                    return (findings, missing);
                }
            }
        }
        // One line for a namespace that is not there, also to somebody who may not see that.
        let is_closed = |name: &&String| !name.is_empty() && !granted.contains_key(*name);
        let closed: BTreeSet<String> = denied.iter().map(|(.., name)| name).filter(is_closed).cloned().collect();
        findings.extend(closed.iter().map(|name| {
            let what = format!("the controller may do nothing in namespace {name}: it does not exist, or has no role");
            Finding::wrong("rights", what).next("create it with the roles of controller/deploy, or do not watch it")
        }));
        findings.extend(denied.iter().filter(|(.., name)| !closed.contains(name)).map(not_granted));
        if findings.is_empty() {
            let all: usize = granted.values().sum();
            findings.push(Finding::fine("rights", format!("all {all} that the controller needs")));
        }
        missing.extend(closed);
        (findings, missing)
    }

    /// Verb, group, resource, namespace (empty: everywhere).
    fn needed(&self) -> Vec<(&'static str, &'static str, String, String)> {
        let watched = match self.args.watch_namespace.as_slice() {
            [] => vec![String::new()],
            some => some.to_vec(),
        };
        let mut needed = Vec::new();
        for Right { verb, group, resource, scope } in &RIGHTS {
            let places = match scope {
                Scope::Own => vec![self.args.namespace.clone()],
                Scope::Watched => watched.clone(),
                Scope::WatchedSecrets if self.args.profile == Profile::Watch => watched.clone(),
                Scope::Cluster if self.args.watch_namespace.is_empty() => vec![String::new()],
                Scope::WatchedSecrets | Scope::Cluster => Vec::new(),
            };
            needed.extend(places.into_iter().map(|place| (*verb, *group, (*resource).to_owned(), place)));
        }
        for kind in &self.args.kinds {
            for (verb, tail) in OF_KIND {
                let resource = format!("{}{tail}", kind.0.plural());
                needed.extend(watched.iter().map(|place| (verb, kind.0.group(), resource.clone(), place.clone())));
            }
        }
        needed
    }

    async fn may(&self, own: bool, verb: &str, group: &str, resource: &str, namespace: &str) -> Result<bool, String> {
        let (resource, sub) = resource.split_once('/').map_or((resource, None), |(of, sub)| (of, Some(sub)));
        let attributes = ResourceAttributes {
            verb: Some(verb.to_owned()),
            group: Some(group.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: sub.map(str::to_owned),
            namespace: Some(namespace.to_owned()),
            ..ResourceAttributes::default()
        };
        let status = if own { self.ask_self(attributes).await } else { self.ask_about(attributes).await };
        status.map(|status| status.is_some_and(|status| status.allowed)).map_err(|error| said(&error))
    }

    /// Whether the token is the controller's own: then it may be asked for itself, which everybody may.
    async fn is_account(&self) -> bool {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let asked = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
        let user = asked.ok().and_then(|review| review.status?.user_info?.username);
        let (namespace, account) = (&self.args.namespace, &self.args.service_account);
        user.is_some_and(|user| user == format!("system:serviceaccount:{namespace}:{account}"))
    }

    /// Namespaces that are to be watched and are not there, as far as we may see that.
    async fn missing(&self) -> Vec<String> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let mut missing = Vec::new();
        for name in &self.args.watch_namespace {
            if matches!(api.get_opt(name).await, Ok(None)) {
                missing.push(name.clone());
            }
        }
        missing
    }

    async fn ask_self(&self, of: ResourceAttributes) -> kube::Result<Option<SubjectAccessReviewStatus>> {
        let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(of), ..Default::default() };
        let review = SelfSubjectAccessReview { spec, ..Default::default() };
        Api::all(self.client.clone()).create(&PostParams::default(), &review).await.map(|review| review.status)
    }

    async fn ask_about(&self, of: ResourceAttributes) -> kube::Result<Option<SubjectAccessReviewStatus>> {
        let (namespace, account) = (&self.args.namespace, &self.args.service_account);
        let groups = ["serviceaccounts".to_owned(), format!("serviceaccounts:{namespace}"), "authenticated".to_owned()];
        let spec = SubjectAccessReviewSpec {
            user: Some(format!("system:serviceaccount:{namespace}:{account}")),
            groups: Some(groups.into_iter().map(|group| format!("system:{group}")).collect()),
            resource_attributes: Some(of),
            ..Default::default()
        };
        let review = SubjectAccessReview { spec, ..Default::default() };
        Api::all(self.client.clone()).create(&PostParams::default(), &review).await.map(|review| review.status)
    }

    /// Whether somebody leads.
    pub(super) async fn leader(&self) -> Finding {
        let name = format!("{}-controller", self.args.name);
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), &self.args.namespace);
        let start = "is it running? kubectl get pods, in the namespace of the controller";
        let spec = match leases.get_opt(&name).await {
            Ok(found) => found.and_then(|lease| lease.spec),
            Err(error) => {
                return Finding::wrong("leader", format!("the Lease {name} cannot be read: {}", said(&error)));
            }
        };
        let holder = spec.as_ref().and_then(|spec| spec.holder_identity.clone()).filter(|holder| !holder.is_empty());
        let renewed = spec.and_then(|spec| spec.renew_time).map(|time| SystemTime::from(time.0));
        let age = renewed.and_then(|renewed| SystemTime::now().duration_since(renewed).ok());
        match (holder, age.map(|age| age.as_secs())) {
            (None, _) => Finding::wrong("leader", "no controller leads").next(start),
            (Some(holder), Some(age)) if age > LEASE_SECONDS => {
                Finding::wrong("leader", format!("{holder} renewed its lease {age} s ago, and should every 2 s"))
                    .next(start)
            }
            (Some(holder), _) => Finding::fine("leader", holder),
        }
    }
}
