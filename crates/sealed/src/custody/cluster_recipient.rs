//! `ClusterRecipient`: what the cluster says about its keys, for everybody to read. It has a status only: nothing that
//! anybody writes into it is believed.

use serde::{Deserialize, Serialize};

use super::escrow::{EscrowFile, EscrowNote};
use super::statement::Statement;
use crate::status::Condition;

/// The object has no fields of its own beside metadata and status.
#[allow(clippy::duplicated_attributes, reason = "every printcolumn has a type and a path of its own")]
#[cfg(feature = "crd")]
#[derive(Clone, Debug, Serialize, Deserialize, kube::CustomResource, schemars::JsonSchema)]
#[kube(
    group = "plomb.dev",
    version = "v1alpha1",
    kind = "ClusterRecipient",
    doc = "The recipient that files for this cluster are encrypted to, signed by the cluster.",
    no_spec,
    status = "ClusterRecipientStatus",
    category = "all-secrets",
    printcolumn(name = "Cluster", type_ = "string", json_path = ".status.cluster"),
    printcolumn(name = "Recipient", type_ = "string", json_path = ".status.recipient"),
    printcolumn(name = "Number", type_ = "integer", json_path = ".status.number"),
    printcolumn(name = "Escrowed", type_ = "string", json_path = ".status.conditions[?(@.type=='Escrowed')].status"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Fingerprint", type_ = "string", json_path = ".status.fingerprint", priority = 1)
)]
pub struct ClusterRecipientRoot {}

/// What the controller says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClusterRecipientStatus {
    /// Name of the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The uid of its namespace `kube-system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_uid: Option<String>,
    /// The recipient that files are to be wrapped to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Number of the newest statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i64>,
    /// Fingerprint of the statement key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The chain, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 256)))]
    pub statements: Vec<Statement>,
    /// Every key, encrypted to the recovery recipients: an armored age file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "crd", schemars(length(max = 2_097_152)))]
    pub escrow: Option<String>,
    /// What is in the escrow file and who can open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escrow_note: Option<EscrowNote>,
    /// Earlier escrow files that alone hold keys which resources need.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 16)))]
    pub older_escrows: Vec<EscrowFile>,
    /// The keys of the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 256)))]
    pub keys: Vec<KeyStatus>,
    /// `Ready`, `Escrowed`.
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

/// One key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyStatus {
    /// Last 8 characters of the recipient.
    pub id: String,
    /// Name of its Secret.
    pub secret: String,
    /// `active`, `decrypt-only` or `revoked`.
    pub state: String,
    /// When it was made (RFC 3339).
    pub created: String,
    /// Resources that need it.
    pub used_by: i64,
    /// Since when none does (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_needed_since: Option<String>,
}
