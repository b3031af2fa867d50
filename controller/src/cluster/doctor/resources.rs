//! How the sealed resources are.

use std::collections::BTreeMap;

use kube::api::ListParams;
use kube::core::Request;
use serde_json::Value;

use super::{Finding, Patient};
use crate::cluster::kind::Kind;

/// Objects in one page of a list.
const PAGE: u32 = 500;
/// Resources that are named for one reason.
const NAMED: usize = 5;

/// What was counted of one kind.
#[derive(Default)]
struct Count {
    all: usize,
    ready: usize,
    /// Nobody has looked at them yet.
    unseen: usize,
    /// Names by reason, with the message of the first.
    failed: BTreeMap<String, (String, Vec<String>)>,
    old_key: usize,
}

impl Patient {
    pub(super) async fn resources(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for kind in &self.args.kinds {
            match self.count(*kind).await {
                Ok(None) => {}
                Ok(Some(count)) => findings.extend(told(*kind, count)),
                Err(why) => findings.push(Finding::note("resources", format!("{kind:?} cannot be listed: {why}"))),
            }
        }
        findings
    }

    /// `None`: the kind is not known.
    async fn count(&self, kind: Kind) -> Result<Option<Count>, String> {
        let mut count = Count::default();
        let everywhere = vec![format!("/apis/{}/{}/{}", kind.0.group(), kind.0.version(), kind.0.plural())];
        let places = match self.args.watch_namespace.as_slice() {
            [] => everywhere,
            some => some.iter().map(|namespace| kind.path(namespace)).collect(),
        };
        for place in places {
            let mut next = None;
            loop {
                let mut params = ListParams::default().limit(PAGE);
                params.continue_token = next;
                let list = Request::new(place.clone()).list(&params).map_err(|error| error.to_string())?;
                let page = match self.client.request::<Value>(list).await {
                    Ok(page) => page,
                    Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
                    Err(error) => return Err(error.to_string()),
                };
                page["items"].as_array().into_iter().flatten().for_each(|object| count.add(object));
                next = page["metadata"]["continue"].as_str().filter(|next| !next.is_empty()).map(str::to_owned);
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(Some(count))
    }
}

impl Count {
    fn add(&mut self, object: &Value) {
        self.all += 1;
        let condition = |name: &str| {
            let all = object["status"]["conditions"].as_array().into_iter().flatten();
            all.into_iter().find(|condition| condition["type"] == name)
        };
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        self.old_key += usize::from(condition("RewrapNeeded").is_some_and(|needed| needed["status"] == "True"));
        // Sealed Secrets knows `Synced` only, and SopsSecrets a sentence.
        let Some(ready) = condition("Ready").or_else(|| condition("Synced")) else {
            self.unseen += usize::from(object["status"]["message"].is_null());
            self.ready += usize::from(!object["status"]["message"].is_null());
            return;
        };
        if ready["status"] == "True" {
            self.ready += 1;
            return;
        }
        let name = format!("{}/{}", text(&object["metadata"], "namespace"), text(&object["metadata"], "name"));
        let of = self.failed.entry(text(ready, "reason")).or_insert_with(|| (text(ready, "message"), Vec::new()));
        of.1.push(name);
    }
}

fn told(kind: Kind, count: Count) -> Vec<Finding> {
    let mut findings = Vec::new();
    let head = format!("{} of {} {kind:?}s are ready", count.ready, count.all);
    let is_fine = count.ready == count.all;
    findings.push(if is_fine { Finding::fine("resources", head) } else { Finding::note("resources", head) });
    if count.unseen > 0 {
        let what = format!("{} {kind:?}s were not looked at by any controller", count.unseen);
        findings
            .push(Finding::wrong("resources", what).next("does one lead that watches their namespaces and this kind?"));
    }
    for (reason, (message, names)) in count.failed {
        let more = names.len().saturating_sub(NAMED);
        let named = names[..names.len().min(NAMED)].join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let what = format!("{reason}: {named}{more}: {message}");
        findings.push(if reason == "Suspended" {
            Finding::note("resources", what)
        } else {
            Finding::wrong("resources", what).next("the reasons and what helps: docs/cluster.md")
        });
    }
    if count.old_key > 0 {
        let what = format!("{} {kind:?}s are wrapped to an older key of this cluster", count.old_key);
        findings.push(Finding::note("resources", what).next("plomb rewrap over the repository"));
    }
    findings
}
