//! The flags of `plomb-controller run`, checked.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use sealed::custody::{Bootstrap, DAY, KeyType, Recovery, Settings};

use super::kind::Kind;

/// Keep the Secrets of a cluster true to its sealed resources
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Namespace of the controller: its keys, its lease
    #[arg(long, env = "POD_NAMESPACE", default_value = "plomb-system", value_parser = label)]
    pub(crate) namespace: String,
    /// Name of this replica, for the lease and for events; the default is one that no other has
    #[arg(long, env = "POD_NAME", default_value_t = nameless(), hide_default_value = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) identity_name: String,
    /// Watch this namespace only (may be given several times); without it the whole cluster
    #[arg(long, value_name = "NAMESPACE", value_parser = label)]
    pub(crate) watch_namespace: Vec<String>,
    /// How changes of Secrets are noticed
    #[arg(long, value_enum, default_value_t = Profile::Watch)]
    pub(crate) profile: Profile,
    /// Kinds to look after
    #[arg(long, value_delimiter = ',', default_value = "encryptedsecret,sealedsecret,sopssecret", value_parser = kind)]
    pub(crate) kinds: Vec<Kind>,
    /// First part of the names of the controller's own objects
    #[arg(long, default_value = "plomb", value_parser = label)]
    pub(crate) name: String,
    /// File with age identities, or a manifest with key Secrets, besides the keys in the controller's namespace
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
    /// Name of the cluster, in what it publishes
    #[arg(long, default_value = "cluster", value_parser = subdomain)]
    pub(crate) cluster_name: String,
    /// age recipient that can restore the cluster's keys (may be given several times)
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recovery_recipient: Vec<String>,
    /// Whether a first key may be made
    #[arg(long, value_enum, default_value_t = BootstrapWord::Auto)]
    pub(crate) bootstrap: BootstrapWord,
    /// Age at which a key is replaced, such as 90d or 2160h, one hour at least; 0 for never
    #[arg(long, default_value = "90d", value_parser = renewal)]
    pub(crate) key_renewal: i64,
    /// Kind of new keys
    #[arg(long, value_enum, default_value_t = KeyWord::X25519)]
    pub(crate) key_kind: KeyWord,
    /// Resources that are worked on at a time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// Where /metrics, /healthz and /readyz are served
    #[arg(long, default_value = "0.0.0.0:8081")]
    pub(crate) metrics_listen: SocketAddr,
    /// Serve what kubeseal asks a controller of Sealed Secrets for (/v1/cert.pem, /v1/verify, /v1/rotate) there
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) compat_http: Option<SocketAddr>,
    /// Count under the metric names of Sealed Secrets, too
    #[arg(long)]
    pub(crate) compat_metrics: bool,
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

/// Whether a first key may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BootstrapWord {
    /// Only if there is no trace of a key that was there before
    Auto,
    /// Never: the key is restored or brought
    Wait,
    /// Whenever no key is active
    New,
}

/// The kind of new keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyWord {
    /// Short recipients that every age knows
    X25519,
    /// Post-quantum recipients, which age 1.3 knows
    Hybrid,
}

impl Args {
    /// What `sealed::custody` wants to know.
    ///
    /// # Errors
    /// When a recovery recipient is none.
    pub(crate) fn custody(&self) -> Result<Settings, String> {
        let recovery = Recovery::parse(&self.recovery_recipient);
        Ok(Settings {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            bootstrap: match self.bootstrap {
                BootstrapWord::Auto => Bootstrap::Auto,
                BootstrapWord::Wait => Bootstrap::Wait,
                BootstrapWord::New => Bootstrap::New,
            },
            key_type: match self.key_kind {
                KeyWord::X25519 => KeyType::X25519,
                KeyWord::Hybrid => KeyType::Hybrid,
            },
            renew_after: self.key_renewal,
            recovery: recovery.map_err(|error| format!("--recovery-recipient: {error}"))?,
            ..Settings::default()
        })
    }
}

/// The name of a replica that was given none: two must not take each other's lease for their own.
fn nameless() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("plomb-controller-{:08x}", RandomState::new().hash_one(0) as u32)
}

/// A DNS label, such as the name of a namespace.
fn label(text: &str) -> Result<String, String> {
    let is_label = sealed::names::is_label(text);
    is_label.then(|| text.to_owned()).ok_or_else(|| "1 to 63 of a-z, 0-9 and -, with no - at either end".to_owned())
}

/// The name of most objects.
fn subdomain(text: &str) -> Result<String, String> {
    let is_name = sealed::names::is_subdomain(text);
    is_name.then(|| text.to_owned()).ok_or_else(|| "a-z, 0-9, - and ., as objects of Kubernetes are named".to_owned())
}

/// Shortest life of a key, in seconds: every one stays for ever in the chain of statements that people pin.
const RENEWAL_FLOOR: i64 = 3600;

/// A period after which keys are replaced, in seconds, or 0.
fn renewal(text: &str) -> Result<i64, String> {
    let seconds = period(text)?;
    if (1..RENEWAL_FLOOR).contains(&seconds) {
        return Err("a key lives one hour at least; 90 days are written 90d".to_owned());
    }
    Ok(seconds)
}

/// A number with d, h, m or s; in seconds.
fn period(text: &str) -> Result<i64, String> {
    let bad = || format!("{text:?} is no period such as 90d or 12h, or 0");
    let (number, unit) = match text.char_indices().last() {
        Some((_, '0'..='9')) => (text, 1),
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        Some((at, 'd')) => (&text[..at], DAY),
        _ => return Err(bad()),
    };
    let number: i64 = number.parse().map_err(|_| bad())?;
    let seconds = number.checked_mul(unit).filter(|seconds| *seconds >= 0).ok_or_else(bad)?;
    if unit == 1 && text.ends_with(|c: char| c.is_ascii_digit()) && seconds != 0 { Err(bad()) } else { Ok(seconds) }
}

pub(super) fn kind(name: &str) -> Result<Kind, String> {
    Kind::by_name(name).ok_or_else(|| {
        let names = sealed::DIALECTS.iter().map(|dialect| dialect.kind().to_lowercase());
        format!("no such kind; there are {}", names.collect::<Vec<_>>().join(", "))
    })
}
