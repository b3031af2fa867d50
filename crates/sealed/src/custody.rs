//! Keys that look after themselves: how a cluster's age key is made, published, backed up, renewed, retired, revoked
//! and restored. Pure: the clock, randomness and everything that an API server says are handed in.
//!
//! A controller's leader does this, again and again, and at every change of what is read:
//!
//! 1. It reads, not from a cache: the Secrets with [`KEY_LABEL`] ([`KeyRecord::of`], one by one; failures go to
//!    `unreadable`), the ConfigMap [`Published::config_map_name`] ([`Published::read`]), and, once all resources are
//!    known, [`Usage::of`] their recipients. It puts them into a [`World`].
//! 2. [`decide`] gives the [`Step`]s. For each that writes: [`make`] gives a record, whose [`KeyRecord::to_secret`] is
//!    created (never updated); [`patch`] gives a JSON merge patch of a Secret with its precondition; [`publish`] gives
//!    the ConfigMap's data. The others are said as events.
//! 3. After any write it reads again and decides again, until no step writes. A failed or lost write needs nothing
//!    else: the next decision starts from what is there.
//! 4. [`status`] gives the status of the `ClusterRecipient`, and [`keys`] the keys for opening resources.
//!
//! [`rewrap_entries`] answers a `RewrapRequest`. [`chain_in`], [`Chain::follows`] and [`restore`] are the other side:
//! what a person does with what was published, without a cluster.

mod chain;
mod cluster_recipient;
mod escrow;
mod history;
mod lifecycle;
mod published;
mod record;
mod report;
mod rewrap;
mod rewrap_request;
mod signing;
mod statement;
mod step;
mod usage;

pub use chain::{Accept, Chain, News};
#[cfg(feature = "crd")]
pub use cluster_recipient::{ClusterRecipient, ClusterRecipientRoot};
pub use cluster_recipient::{ClusterRecipientStatus, KeyStatus};
pub use escrow::{EscrowFile, EscrowNote, EscrowState, Recovery, RestoreError, Restored, restore};
pub use lifecycle::{Bootstrap, DAY, Settings, World, decide};
pub use published::{
    CHAIN_ENTRY, ESCROW_ENTRY, NOTE_ENTRY, Published, RECIPIENT_ENTRY, ReadError, chain_in, escrows_in, file_of,
};
pub use record::{
    CREATED_ANNOTATION, IDENTITY_ENTRY, IDLE_ANNOTATION, KEY_LABEL, KeyRecord, KeyState, KeyType, NUMBER_ANNOTATION,
    REVOKE_ANNOTATION, RecordError, STATEMENT_KEY_ENTRY, STATEMENTS_ENTRY,
};
pub use report::{keys, status};
pub use rewrap::{Rewrapped, rewrap_entries};
#[cfg(feature = "crd")]
pub use rewrap_request::RewrapRequest;
pub use rewrap_request::{AgeEntry, DEFAULT_TTL, RewrapRequestSpec, RewrapRequestStatus};
pub use statement::{ChainFault, Cluster, MAX_STATEMENTS, Statement, fingerprint};
pub use step::{Step, WaitReason, make, patch, publish};
pub use usage::{Named, Usage};
