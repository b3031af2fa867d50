//! `plomb cluster recipients pin`: what a cluster publishes now, compared with what is in the repository.

use std::path::{Path, PathBuf};

use sealed::custody::{Accept, Chain, ChainFault, News, file_of};

use super::chain;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{one_line, shown};
use crate::{files, ui};

/// Check what a cluster publishes, and keep it in recipients/CLUSTER.yaml
///
/// Every statement must be signed and follow from the one before, and from those in the file that is there. A new
/// statement key, another cluster, a fork or an older state is refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What `kubectl get clusterrecipient -o yaml` or the ConfigMap says; - for standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// The file to compare with and to write
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only compare: exit code 1 unless everything that is published is in the file
    #[arg(long)]
    check: bool,
    /// The statement key has this fingerprint, though the file says another one, or nothing yet
    #[arg(long, value_name = "SHA256:…")]
    accept_key: Option<String>,
    /// The cluster was built anew and has this uid now
    #[arg(long, value_name = "UID")]
    accept_cluster: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let published = chain(&args.file)?;
    let path = args.output.clone().map_or_else(|| place(&published), Ok)?;
    let is_there = path.symlink_metadata().is_ok();
    let news = match is_there {
        true => compared(&published, &chain(&path)?, args).map_err(|failure| failure.in_file(&path))?,
        false => first(&published, args)?,
    };
    let newest = published.newest();
    if news == Some(News::Same) {
        ui::note(&format!("{}: everything that is published is in it", shown(&path)));
        return Ok(Exit::Ok);
    }
    let what = match news {
        None => "not there yet".to_owned(),
        Some(News::More(1)) => "1 statement is new".to_owned(),
        Some(News::More(count)) => format!("{count} statements are new"),
        _ => "the statement key is new".to_owned(),
    };
    let recipient = keys::short_recipient(&newest.recipient);
    if args.check {
        let hint = "look at it, then say the same without --check";
        return Err(Failure::new(Exit::Generic, format!("{what}; published is {recipient}")).in_file(&path).hint(hint));
    }
    write(&path, &published)?;
    ui::note(&one_line(&format!("{}: {what}; files for {} go to {recipient}", shown(&path), newest.cluster)));
    ui::print(format!("{}\n", newest.recipient).as_bytes())?;
    if news.is_none() && args.accept_key.is_none() {
        let what = "compare it with what the controller logged, or with somebody who sees the cluster another way";
        ui::note(&format!("note: its statement key is {}: {what}", newest.fingerprint()));
    }
    Ok(Exit::Ok)
}

/// The first time there is nothing to compare with but what the user says.
fn first(published: &Chain, args: &Args) -> Result<Option<News>, Failure> {
    let found = published.newest().fingerprint();
    match &args.accept_key {
        Some(wanted) if *wanted != found => {
            let what = format!("the statement key is {found}, not {wanted}; nothing was written");
            Err(Failure::new(Exit::Generic, what))
        }
        _ => Ok(None),
    }
}

fn compared(published: &Chain, pinned: &Chain, args: &Args) -> Result<Option<News>, Failure> {
    let accept = Accept { key: args.accept_key.as_deref(), cluster_uid: args.accept_cluster.as_deref() };
    published.follows(pinned, accept).map(Some).map_err(|fault| {
        let failure = Failure::new(Exit::Generic, format!("{fault}; nothing was written"));
        match &fault {
            ChainFault::AnotherKey { found, .. } => {
                failure.hint(format!("if whoever runs the cluster tells you that fingerprint: --accept-key {found}"))
            }
            ChainFault::AnotherCluster { .. } => {
                let uid = &published.newest().cluster_uid;
                failure.hint(format!("if the cluster was built anew, and only then: --accept-cluster '{uid}'"))
            }
            ChainFault::Fork(_) | ChainFault::Rollback { .. } => {
                failure.hint("encrypt nothing to it before you know who wrote that")
            }
            ChainFault::BrokenChain(_) => {
                failure.hint("statements in between are missing: look for an older state of the ConfigMap")
            }
            _ => failure,
        }
    })
}

/// `recipients/CLUSTER.yaml`: a name from the cluster must not lead out of the folder.
fn place(published: &Chain) -> Result<PathBuf, Failure> {
    let name = &published.newest().cluster;
    if sealed::names::is_subdomain(name) {
        return Ok(Path::new("recipients").join(format!("{name}.yaml")));
    }
    let what = one_line(&format!("the cluster calls itself {name:?}, which is no name for a file"));
    Err(Failure::new(Exit::Generic, what).hint("say where with --output"))
}

fn write(path: &Path, published: &Chain) -> Result<(), Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| Failure::io(folder, "make the folder", &error).exit(Exit::Output))?;
    }
    files::replace(path, file_of(published.statements()).as_bytes())
}
