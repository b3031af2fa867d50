//! The way to an API server: of the cluster that runs us, or as a kubeconfig says. A kubeconfig that would start a
//! program to log in is refused: nothing is ever started.

use std::path::Path;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::outcome::Failure;

/// Where settings come from that no flag names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    /// The pod: its ServiceAccount's token.
    Pod,
    /// A person's: `KUBECONFIG`, else `~/.kube/config`, else the pod.
    Person,
}

/// A client, and whether it speaks for the pod that we run in.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) is_pod: bool,
}

/// Connects as `file` says, or as `default` does without one.
///
/// # Errors
/// When there is no way, or the file is none that we follow.
pub(crate) async fn connect(file: Option<&Path>, default: Default) -> Result<Connection, Failure> {
    let (config, is_pod) = match (file, default) {
        (Some(path), _) => (of_file(path).await?, false),
        (None, Default::Pod) => (pod("--kubeconfig names one")?, true),
        (None, Default::Person) => match Kubeconfig::read() {
            Ok(found) => (of(found, "the kubeconfig").await?, false),
            Err(KubeconfigError::ReadConfig(..) | KubeconfigError::FindPath) => {
                (pod("and no kubeconfig is there")?, true)
            }
            Err(error) => return Err(Failure::new(format!("the kubeconfig: {error}"))),
        },
    };
    let client = Client::try_from(config).map_err(|error| Failure::new(format!("cannot connect: {error}")))?;
    Ok(Connection { client, is_pod })
}

fn pod(hint: &str) -> Result<Config, Failure> {
    Config::incluster().map_err(|error| Failure::new(format!("not in a cluster: {error}; {hint}")))
}

async fn of_file(path: &Path) -> Result<Config, Failure> {
    let name = path.display().to_string();
    let file = Kubeconfig::read_from(path).map_err(|error| Failure::new(format!("{name}: {error}")))?;
    of(file, &name).await
}

async fn of(file: Kubeconfig, name: &str) -> Result<Config, Failure> {
    let bad = |why: String| Failure::new(format!("{name}: {why}"));
    let mut users = file.auth_infos.iter().filter_map(|user| user.auth_info.as_ref());
    if users.any(|user| user.exec.is_some() || user.auth_provider.is_some()) {
        return Err(bad("a user in it starts a program to log in; use a token or a certificate".to_owned()));
    }
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(file, &options).await.map_err(|error| bad(error.to_string()))
}
