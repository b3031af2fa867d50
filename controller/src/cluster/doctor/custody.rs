//! How it stands with the cluster's own keys: their Secrets (names and labels only), what is published, the backup.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use sealed::custody::{Chain, KEY_LABEL, Published};

use super::{Args, Finding, Patient};
use crate::cluster::custody::read;
use crate::cluster::fault::{Fault, said};

impl Patient {
    /// The key Secrets by their labels.
    pub(super) async fn keys(&self) -> Vec<Finding> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.args.namespace);
        let listed = match api.list_metadata(&ListParams::default().labels(KEY_LABEL)).await {
            Ok(listed) => listed,
            Err(error) => {
                return vec![Finding::wrong("keys", format!("the key Secrets cannot be listed: {}", said(&error)))];
            }
        };
        let state = |wanted: &str| {
            let has = |secret: &&kube::core::PartialObjectMeta<Secret>| {
                secret.labels().get(KEY_LABEL).is_some_and(|state| state == wanted)
            };
            listed.items.iter().filter(has).map(|secret| secret.name_any()).collect::<Vec<_>>()
        };
        let (active, old, revoked) = (state("active"), state("decrypt-only"), state("revoked"));
        let strange = listed.items.len() - active.len() - old.len() - revoked.len();
        let mut findings = vec![match active.as_slice() {
            [] if listed.items.is_empty() => Finding::wrong("keys", "there is no key")
                .next("restore them: plomb keys restore ... | kubectl apply --server-side -f -; or let the controller make one: --bootstrap new"),
            [] => Finding::wrong("keys", "no key is active").next("see the log of the controller and its --bootstrap"),
            [one] => Finding::fine("keys", format!("{one} is active, {} decrypt only, {} revoked", old.len(), revoked.len())),
            more => Finding::wrong("keys", format!("{} keys are active: {}", more.len(), more.join(", ")))
                .next("the controller demotes all but the newest: see its log"),
        }];
        if strange > 0 {
            let what = format!("{strange} key Secrets bear a label {KEY_LABEL} that is no state");
            findings.push(Finding::wrong("keys", what).next("active, decrypt-only or revoked"));
        }
        findings
    }

    /// Recipient, chain and backup.
    pub(super) async fn published(&self) -> Vec<Finding> {
        let (shown, cluster) = match self.shown().await {
            Ok(shown) => shown,
            Err(fault) => return vec![Finding::wrong("recipient", fault.to_string())],
        };
        let place = Published::config_map_name(&self.args.name);
        let published = &shown.published;
        if shown.at.is_none() {
            let what = format!("nothing is published: there is no ConfigMap {place}");
            return vec![Finding::wrong("recipient", what).next("the leader writes it: see its log")];
        }
        let mut findings = Vec::new();
        findings.push(match Chain::verify(published.statements.clone()) {
            _ if published.damaged => Finding::wrong("recipient", format!("the ConfigMap {place} cannot be read"))
                .next("delete it: the leader writes it anew from the key Secrets"),
            Err(fault) => Finding::wrong("recipient", format!("the ConfigMap {place} is not to be trusted: {fault}"))
                .next("find out who changed it; then delete it, and the leader writes it anew"),
            Ok(chain) => {
                let newest = chain.newest();
                let what =
                    format!("{}, number {}, fingerprint {}", newest.recipient, newest.number, newest.fingerprint());
                Finding::fine("recipient", what)
            }
        });
        findings.push(match &published.escrow {
            None => Finding::wrong("backup", "there is none: who loses the key Secrets loses the key")
                .next("start the controller with --recovery-recipient"),
            Some(escrow) if !escrow.is_whole() => {
                Finding::wrong("backup", "it is not what the controller wrote: its digest or signature is wrong")
                    .next("find out who changed the ConfigMap; then delete it, and the leader writes it anew")
            }
            Some(escrow) => {
                let what = format!("{} keys, for {}", escrow.note.keys.len(), escrow.note.recovery.join(", "));
                Finding::fine("backup", what)
            }
        });
        if let (Some(cluster), None) = (&cluster, &shown.status) {
            let what = format!(
                "there is no ClusterRecipient {cluster} with a status: how it stands with the keys is not known"
            );
            findings.push(
                Finding::wrong("recipient", what).next("--cluster-name as the controller has it; else see its log"),
            );
        }
        let conditions = shown.status.iter().flat_map(|status| &status.conditions);
        let doubtful = conditions.filter(|condition| condition.status != "True" || !condition.message.is_empty());
        findings.extend(doubtful.map(|condition| {
            let what = format!("{}={}, {}: {}", condition.type_, condition.status, condition.reason, condition.message);
            // Of any other reason the controller waits for a person, though files can be wrapped to the recipient.
            if condition.status == "True" && matches!(condition.reason.as_str(), "Published" | "Escrowed") {
                Finding::note("recipient", what)
            } else {
                Finding::wrong("recipient", what).next("the reasons and what helps: docs/keys-in-the-cluster.md")
            }
        }));
        findings
    }

    /// What is published, and the name of the ClusterRecipient that says more; none in namespaced mode, where there is
    /// none.
    async fn shown(&self) -> Result<(read::Shown, Option<String>), Fault> {
        let Args { namespace, name, watch_namespace, cluster_name, .. } = &self.args;
        let shown = read::shown(&self.client, namespace, name, None).await?;
        if !watch_namespace.is_empty() {
            return Ok((shown, None));
        }
        let said = shown.published.statements.last().map(|newest| newest.cluster.as_str());
        let cluster = cluster_name.as_deref().or(said).unwrap_or("cluster").to_owned();
        let shown = read::shown(&self.client, namespace, name, Some(&cluster)).await?;
        Ok((shown, Some(cluster)))
    }
}
