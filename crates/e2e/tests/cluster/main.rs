//! What we ship for a cluster, on a real API server: definition, roles, policies, manifests, chart, controller. Each
//! test names what it needs and skips aloud without it.

mod installation;
mod kustomize_function;
mod manifests;
mod policies;
mod roles;
mod schema;
