//! `plomb-controller doctor`: looks at a cluster as the controller would, and says what is wrong and what to do. It
//! reads no value of any Secret.

mod custody;
mod installation;
mod resources;

use std::path::PathBuf;

use kube::Client;

use super::connect::{self, connect};
use super::kind::Kind;
use super::settings::{Profile, kind};
use crate::outcome::{Exit, Failure, print};

/// Look at a cluster as the controller does, and say what is wrong
///
/// Asks whether the API server answers, knows the kinds and grants what the controller needs, whether a controller
/// leads, how it stands with keys and their backup, and which resources are not ready. Reads no value of any Secret.
///
/// Exit code 0: nothing is wrong; 1: something is, and the report says what; 2: the cluster cannot be asked.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Reach the cluster as this file says; without, KUBECONFIG, ~/.kube/config or the pod's own account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Namespace of the controller
    #[arg(short, long, env = "POD_NAMESPACE", default_value = "plomb-system")]
    namespace: String,
    /// First part of the names of the controller's own objects
    #[arg(long, default_value = "plomb")]
    name: String,
    /// ServiceAccount of the controller, whose rights are looked at
    #[arg(long, default_value = "plomb-controller")]
    service_account: String,
    /// Namespace that the controller watches (may be given several times); without it the whole cluster
    #[arg(long, value_name = "NAMESPACE")]
    watch_namespace: Vec<String>,
    /// How the controller notices changes of Secrets
    #[arg(long, value_enum, default_value_t = Profile::Watch)]
    profile: Profile,
    /// Kinds that the controller looks after
    #[arg(long, value_delimiter = ',', default_value = "encryptedsecret,sealedsecret,sopssecret", value_parser = kind)]
    kinds: Vec<Kind>,
    /// Name of the cluster, in what the controller publishes; without it, what is published tells
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,
    /// The report as JSON: one array with area, state, what and next
    #[arg(long)]
    json: bool,
}

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fine,
    /// It works, and somebody should know.
    Note,
    Wrong,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Wrong => "WRONG",
        }
    }
}

/// One line of the report.
#[derive(Debug)]
struct Finding {
    area: &'static str,
    state: State,
    what: String,
    /// What to do about it.
    next: Option<String>,
}

impl Finding {
    fn fine(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, state: State::Fine, what: what.into(), next: None }
    }

    fn note(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, state: State::Note, what: what.into(), next: None }
    }

    fn wrong(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, state: State::Wrong, what: what.into(), next: None }
    }

    fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }
}

/// A cluster that is looked at.
struct Patient {
    client: Client,
    args: Args,
    /// We speak for the controller's own pod.
    is_pod: bool,
}

/// Runs the command.
///
/// # Errors
/// When the cluster cannot be asked at all.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let json = args.json;
    let findings = runtime.block_on(examine(args))?;
    print(if json { as_json(&findings) } else { as_text(&findings) }.as_bytes())?;
    let is_wrong = findings.iter().any(|finding| finding.state == State::Wrong);
    Ok(if is_wrong { Exit::Refused } else { Exit::Ok })
}

async fn examine(args: Args) -> Result<Vec<Finding>, Failure> {
    let connection = connect(args.kubeconfig.as_deref(), connect::Default::Person).await?;
    let patient = Patient { client: connection.client, is_pod: connection.is_pod, args };
    let mut findings = vec![patient.server().await?];
    findings.extend(patient.kinds().await);
    let (rights, without) = patient.rights().await;
    findings.extend(rights);
    findings.push(patient.leader().await);
    findings.extend(patient.keys().await);
    findings.extend(patient.published().await);
    findings.extend(patient.resources(&without).await);
    Ok(findings)
}

fn as_text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { area, state, what, next } in findings {
        let what = crate::outcome::one_line(what);
        text += &format!("{:<6} {area:<10} {what}\n", state.word());
        text.extend(next.iter().map(|next| format!("{:<17} -> {}\n", "", crate::outcome::one_line(next))));
    }
    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong).count();
    text + &match wrong {
        0 => "nothing is wrong\n".to_owned(),
        1 => "1 thing is wrong\n".to_owned(),
        more => format!("{more} things are wrong\n"),
    }
}

fn as_json(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        let Finding { area, state, what, next } = finding;
        serde_json::json!({"area": area, "state": state.word().to_lowercase(), "what": what, "next": next})
    };
    let rows: Vec<_> = findings.iter().map(row).collect();
    format!("{:#}\n", serde_json::Value::Array(rows))
}
