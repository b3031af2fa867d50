//! How the sealed resources are.

use std::collections::BTreeMap;

use kube::api::ListParams;
use kube::core::Request;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Finding, Patient};
use crate::cluster::fault::said;
use crate::cluster::kind::Kind;
use crate::cluster::shallow;
use crate::cluster::watch::PAGE;

/// Resources that are named for one reason.
const NAMED: usize = 5;

/// A page of a list of objects of strangers: one that is nested too deeply must not hide the others.
#[derive(Deserialize)]
pub(super) struct Page {
    metadata: Position,
    #[serde(default)]
    items: Vec<Object>,
}

#[derive(Deserialize)]
struct Position {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

/// Name and status of an object: a page of whole ones may be large, and the doctor works in the controller's pod.
struct Object(Value);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut object, _) = shallow::read(deserializer)?;
        if let Some(object) = object.as_object_mut() {
            object.retain(|field, _| matches!(field.as_str(), "metadata" | "status"));
        }
        Ok(Self(object))
    }
}

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
    /// Of all namespaces but those `without` rights, of which enough was said.
    pub(super) async fn resources(&self, without: &[String]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for kind in &self.args.kinds {
            match self.count(*kind, without).await {
                Ok(None) => {}
                Ok(Some(count)) => findings.extend(told(*kind, count)),
                Err(why) => {
                    let unread = Finding::wrong("resources", format!("{kind:?} cannot be listed: {why}"));
                    findings.push(unread.next("nobody knows how they are: ask again with a token that may list them"));
                }
            }
        }
        findings
    }

    /// `None`: the kind is not known.
    async fn count(&self, kind: Kind, without: &[String]) -> Result<Option<Count>, String> {
        let mut count = Count::default();
        let everywhere = vec![format!("/apis/{}/{}/{}", kind.0.group(), kind.0.version(), kind.0.plural())];
        let places = match self.args.watch_namespace.as_slice() {
            [] => everywhere,
            some => some.iter().filter(|name| !without.contains(name)).map(|name| kind.path(name)).collect(),
        };
        for place in places {
            let mut next = None;
            loop {
                let mut params = ListParams::default().limit(PAGE);
                params.continue_token = next;
                let list = Request::new(place.clone()).list(&params).map_err(|error| error.to_string())?;
                let page = match self.client.request::<Page>(list).await {
                    Ok(page) => page,
                    Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
                    Err(error) => return Err(said(&error)),
                };
                page.items.iter().for_each(|object| count.add(&object.0));
                next = page.metadata.next.filter(|next| !next.is_empty());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_is_nested_too_deeply_hides_no_other() {
        let deep = format!("{}1{}", "{\"d\":[".repeat(5000), "]}".repeat(5000));
        let failed = r#"{"metadata":{"namespace":"a","name":"db"},"status":{"conditions":[
            {"type":"Ready","status":"False","reason":"KeyNotFound","message":"none"}]}}"#;
        let text =
            format!(r#"{{"metadata":{{"continue":"more"}},"items":[{{"metadata":{{}},"sops":{deep}}},{failed}]}}"#);
        let page: Page = serde_json::from_str(&text).unwrap();
        let mut count = Count::default();
        page.items.iter().for_each(|object| count.add(&object.0));
        assert_eq!((count.all, count.unseen, page.metadata.next.as_deref()), (2, 1, Some("more")));
        assert_eq!(count.failed["KeyNotFound"].1, ["a/db"]);
    }
}
