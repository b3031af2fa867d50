//! What we ship for a cluster, on a real API server: definition, roles, policies, manifests, chart, controller. Each
//! test names what it needs and skips aloud without it.

#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod admission;
mod argocd;
mod compat;
mod controller;
mod crowd;
mod dialects;
mod examination;
mod homelab;
mod installation;
mod keys;
mod keys_late;
mod keys_woken;
mod kustomize_function;
mod large;
mod limits;
mod make;
mod manifests;
mod modes;
mod neighbours;
mod outages;
mod policies;
mod reasons;
mod reasons_table;
mod replays;
mod roles;
mod schema;
mod scripted;
mod secrets;
mod server;
mod sharing;
mod undefended;
