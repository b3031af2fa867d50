//! `plomb keys restore`: a cluster's keys out of its escrow file, as manifests to be applied.

use std::path::PathBuf;

use sealed::custody::{self, RestoreError};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::{files, ui};

/// Print the key Secrets in a cluster's escrow file, to be applied with kubectl
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The escrow file, or the ConfigMap or ClusterRecipient that holds it; - for standard input
    #[arg(long, value_name = "FILE")]
    escrow: PathBuf,
    /// Key file of a recovery recipient; the default are the identities at hand
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// Put the Secrets into this namespace instead of the one that they came from
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Args, context: &mut Context) -> Outcome {
    if !args.identity.is_empty() {
        context.use_identities(&args.identity)?;
    }
    let text = match args.escrow.as_os_str() == "-" {
        true => files::read_stdin(files::STRUCTURED_LIMIT)?,
        false => files::read(&args.escrow, files::STRUCTURED_LIMIT)?,
    };
    let none = || {
        let what = "holds no escrow file: neither an age file, nor a ConfigMap or ClusterRecipient with one";
        Failure::new(Exit::Input, what).in_file(&args.escrow)
    };
    let files = custody::escrows_in(text);
    let (file, earlier) = files.split_first().ok_or_else(none)?;
    let restored = custody::restore(file, context.keyring());
    let mut restored = restored.map_err(|error| failure(&error).in_file(&args.escrow))?;
    let active = restored.active().map_or_else(|| "none is active".to_owned(), |name| format!("{name} is active"));
    for file in earlier {
        match custody::restore(file, context.keyring()) {
            Ok(earlier) => restored.add(earlier),
            Err(error) => ui::note(&format!("warning: an earlier escrow file in it gives no keys: {error}")),
        }
    }
    if let Some(namespace) = args.namespace.as_deref().filter(|name| !sealed::names::is_label(name)) {
        return Err(Failure::new(Exit::Usage, format!("{namespace:?} is no namespace")));
    }
    let mut out = zeroize::Zeroizing::new(Vec::new());
    let mut place = "";
    for (secret, record) in restored.secrets.iter().zip(&restored.records) {
        place = args.namespace.as_deref().unwrap_or(&secret.id.namespace);
        if !out.is_empty() {
            out.extend_from_slice(b"---\n");
        }
        out.extend_from_slice(record.to_secret(place).to_yaml()?.expose());
    }
    ui::print(out.as_slice())?;
    ui::note(&format!("keys for the namespace {place}: {}; {active}", restored.records.len()));
    ui::note(
        "kubectl apply --server-side takes them, best before the controller starts: one that finds no key makes another, \
         which only decrypts once these are there",
    );
    Ok(Exit::Ok)
}

fn failure(error: &RestoreError) -> Failure {
    let exit = match error {
        RestoreError::Unopened(_) => Exit::NoKey,
        _ => Exit::Input,
    };
    let failure = Failure::new(exit, error.to_string());
    match error {
        RestoreError::Unopened(_) => failure.hint("it takes the key of one of the cluster's recovery recipients"),
        _ => failure,
    }
}
