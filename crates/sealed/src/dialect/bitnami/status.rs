//! The status of a SealedSecret as its own controller writes it: one condition, `Synced`, which Argo CD and people's
//! scripts read. Ours has a reason besides.

use serde_json::{Value, json};
use sops::Timestamp;

use crate::manifest::Manifest;
use crate::status::Status;
use crate::tree;

/// `{observedGeneration, conditions: [Synced]}`; times stay where nothing else changed.
pub(super) fn synced(next: &Status, resource: &Manifest, now: Timestamp) -> Value {
    let Some(ready) = next.condition("Ready") else { return json!({}) };
    let old = tree::map(&resource.root, "status").map(tree::to_json).unwrap_or_default();
    let before = old["conditions"].as_array().and_then(|all| all.iter().find(|it| it["type"] == "Synced"));
    let now = now.to_string();
    let message = if ready.status == "True" { "" } else { ready.message.as_str() };
    let same_status = before.filter(|before| before["status"] == ready.status.as_str());
    let same = same_status
        .filter(|_| old["observedGeneration"] == json!(next.observed_generation))
        .filter(|before| before["reason"] == ready.reason.as_str())
        .filter(|before| before["message"].as_str().unwrap_or_default() == message);
    let time =
        |from: Option<&Value>, field: &str| from.and_then(|from| from[field].as_str()).unwrap_or(&now).to_owned();
    json!({
        "observedGeneration": next.observed_generation,
        "conditions": [{
            "type": "Synced",
            "status": ready.status,
            "reason": ready.reason,
            "message": message,
            "lastTransitionTime": time(same_status, "lastTransitionTime"),
            "lastUpdateTime": time(same, "lastUpdateTime"),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::{Reason, Refusal};
    use crate::status::{Around, Outcome};

    fn object(status: &Value) -> Manifest {
        let text = json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "metadata": {"name": "a", "namespace": "b"}, "status": status});
        Manifest::from_api(text.to_string().as_str().into()).unwrap()
    }

    #[test]
    fn times_change_only_with_what_they_are_about() {
        let around = |now| Around { generation: Some(3), keyset_id: "k", now: Timestamp(now) };
        let refused = |text: &str| Refusal::new(Reason::DecryptFailed, text);
        let next = Status::default().next(&Outcome::Refused(&refused("x")), around(10));
        let first = synced(&next, &object(&json!({})), Timestamp(10));
        assert_eq!(first["conditions"][0]["lastTransitionTime"], "1970-01-01T00:00:10Z");
        assert_eq!(synced(&next, &object(&first), Timestamp(20)), first);
        let next = next.next(&Outcome::Refused(&refused("y")), around(30));
        let other = synced(&next, &object(&first), Timestamp(30));
        let condition = &other["conditions"][0];
        assert_eq!(condition["lastTransitionTime"], "1970-01-01T00:00:10Z");
        assert_eq!(condition["lastUpdateTime"], "1970-01-01T00:00:30Z");
        assert_eq!(condition["message"], "y");
    }
}
