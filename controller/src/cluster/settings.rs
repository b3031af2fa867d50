//! The flags of `plomb-controller run`, checked.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use super::kind::Kind;

/// Keep the Secrets of a cluster true to its sealed resources
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Namespace of the controller: its keys, its lease
    #[arg(long, env = "POD_NAMESPACE", default_value = "plomb-system")]
    pub(crate) namespace: String,
    /// Name of this replica, for the lease and for events
    #[arg(long, env = "POD_NAME", default_value = "plomb-controller")]
    pub(crate) identity_name: String,
    /// Watch this namespace only (may be given several times); without it the whole cluster
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) watch_namespace: Vec<String>,
    /// How changes of Secrets are noticed
    #[arg(long, value_enum, default_value_t = Profile::Watch)]
    pub(crate) profile: Profile,
    /// Kinds to look after
    #[arg(long, value_delimiter = ',', default_value = "encryptedsecret,sealedsecret,sopssecret", value_parser = kind)]
    pub(crate) kinds: Vec<Kind>,
    /// First part of the names of the controller's own objects
    #[arg(long, default_value = "plomb")]
    pub(crate) name: String,
    /// File with age identities, or a manifest with key Secrets, besides the keys in the controller's namespace
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
    /// Resources that are worked on at a time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, default_value = "0.0.0.0:8081")]
    pub(crate) metrics_listen: SocketAddr,
    /// Do not ask for the lease: this is the only replica
    #[arg(long)]
    pub(crate) no_leader_election: bool,
    /// error, warn, info, debug or trace
    #[arg(long, default_value = "info")]
    pub(crate) log_level: String,
    /// Reach the cluster as this file says, instead of as a pod does
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// How changes of live Secrets are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Metadata of the Secrets with our label are watched; needs list and watch on Secrets
    Watch,
    /// Secrets are read by name, at every interval; needs get, create, patch and delete
    NoWatch,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::by_name(name).ok_or_else(|| {
        let names = sealed::DIALECTS.iter().map(|dialect| dialect.kind().to_lowercase());
        format!("no such kind; there are {}", names.collect::<Vec<_>>().join(", "))
    })
}
