//! From a sealed resource to the Secrets it stands for, and what to do about the live ones, without a cluster.
//!
//! [`open_and_plan`] is the one function that both `plomb-controller render` and the reconcile step call. Every way
//! it can fail has a [`Reason`]. Nothing here reads a file, asks a clock or knows an API server.

pub mod binding;
pub mod custody;
mod desired;
mod dialect;
mod error;
mod keys;
pub mod manifest;
pub mod names;
mod open;
mod plan;
mod reason;
pub mod resource;
mod share;
pub mod status;
mod template;
mod tree;
pub mod write;

pub use binding::{Binding, Scope};
pub use desired::{
    DesiredSecret, FIELD_MANAGER, LEFT_PREFIX, LiveSecret, MANAGED_LABEL, MERGED_PREFIX, ManagedEntry, Owner,
    SOURCE_ANNOTATION,
};
#[cfg(feature = "bitnami")]
pub use dialect::bitnami;
pub use dialect::{DIALECTS, Dialect, Opened, Takeover, for_kind};
pub use error::WriteError;
pub use keys::{KeySecretError, Keys};
pub use manifest::{Manifest, ManifestError, ResourceId};
pub use names::{RESOURCE_LIMIT, SECRET_LIMIT};
pub use open::{Opening, Situation, begin, open, open_and_plan};
pub use plan::{Action, Plan, Precondition, Step, plan};
pub use reason::{Reason, Refusal};
pub use share::{Share, source};
pub use sops::Timestamp;
