//! The controller in a cluster: watches sealed resources and keeps their Secrets true.
//!
//! The walk of one resource is in `reconcile`. What it decides comes from the `sealed` crate; what is here reads the
//! world (`live`, `keyring`, `watch`), changes it (`apply`, the only module that writes Secrets, and `publish`), and
//! says when to look again (`retry`).

mod apply;
mod aside;
mod asked;
mod budget;
mod compat;
mod connect;
mod custody;
mod doctor;
mod elector;
mod export;
mod fault;
mod feud;
mod glance;
mod herald;
mod keyring;
mod kind;
mod lanes;
mod leave;
mod live;
mod log;
mod memory;
mod metrics;
mod probes;
mod publish;
mod reconcile;
mod retry;
mod rewrap;
mod run;
mod secrets;
mod settings;
mod shallow;
mod watch;

pub(crate) use doctor::{Args as DoctorArgs, run as doctor};
pub(crate) use export::{Args as ExportArgs, run as export};
pub(crate) use run::run;
pub(crate) use settings::Args;

/// The name under which all fields of Secrets and statuses are written, but for keys in Secrets of others.
use sealed::FIELD_MANAGER;
