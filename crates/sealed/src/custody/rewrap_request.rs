//! `RewrapRequest`: somebody who holds no key asks the cluster to wrap a file to its current recipient. What comes back
//! is ciphertext for the cluster itself; nobody can be named to wrap it to.

use serde::{Deserialize, Serialize};

use crate::status::Condition;

/// Seconds for which a request is kept when it does not say.
pub const DEFAULT_TTL: u32 = 3600;

/// The file: either a resource of the same namespace, or the resource itself as it stands in the repository.
#[allow(clippy::duplicated_attributes, reason = "every printcolumn has a type and a path of its own")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(kube::CustomResource, schemars::JsonSchema))]
#[cfg_attr(
    feature = "crd",
    kube(
        group = "plomb.dev",
        version = "v1alpha1",
        kind = "RewrapRequest",
        doc = "Asks for a file's data key, wrapped to the cluster's current recipient.",
        namespaced,
        status = "RewrapRequestStatus",
        printcolumn(name = "Done", type_ = "string", json_path = ".status.conditions[?(@.type=='Done')].status"),
        printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Done')].reason"),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
    )
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RewrapRequestSpec {
    /// Name of an EncryptedSecret in the namespace of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "crd",
        schemars(
            length(min = 1, max = 253),
            regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
        )
    )]
    pub name: Option<String>,
    /// An EncryptedSecret, bound to the namespace of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "crd", schemars(schema_with = "crate::resource::schema::anything"))]
    pub object: Option<serde_json::Value>,
    /// Seconds after which the request is deleted once it was answered: 60 to 86400, 3600 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "crd", schemars(extend("minimum" = 60, "maximum" = 86_400)))]
    pub ttl_seconds_after_finished: Option<i64>,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RewrapRequestStatus {
    /// The generation that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The whole new list `sops.age` of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 256)))]
    pub age: Vec<AgeEntry>,
    /// Last 8 characters of the recipient that was wrapped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// When it was answered (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<String>,
    /// `Done`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        feature = "crd",
        schemars(extend(
            "maxItems" = 16,
            "x-kubernetes-list-type" = "map",
            "x-kubernetes-list-map-keys" = ["type"]
        ))
    )]
    pub conditions: Vec<Condition>,
}

/// One entry of `sops.age`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub struct AgeEntry {
    /// The data key, wrapped.
    pub enc: String,
    /// To whom.
    pub recipient: String,
}

impl RewrapRequestSpec {
    /// Seconds for which the answer is kept, within bounds whatever the object says.
    pub fn ttl_seconds(&self) -> u32 {
        let seconds = self.ttl_seconds_after_finished.unwrap_or(i64::from(DEFAULT_TTL)).clamp(60, 86_400);
        u32::try_from(seconds).unwrap_or(DEFAULT_TTL)
    }
}
