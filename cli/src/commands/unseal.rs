//! `plomb unseal`: the Secrets that sealed resources stand for, for anybody whom the files list.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::{resource, ui};

/// Print the Secrets that sealed resources stand for
///
/// Opens EncryptedSecret, SopsSecret and, with the cluster's exported keys, SealedSecret, with every check that a
/// cluster makes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, or - for standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Private key of Sealed Secrets: PEM, a Secret, or a List of these
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Namespace of objects that name none
    #[arg(short, long, default_value = "default")]
    namespace: String,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let keys = resource::keys(&args.key, context)?;
    let mut out = zeroize::Zeroizing::new(Vec::new());
    for (file, objects) in resource::manifests(&args.paths, &args.namespace)? {
        for object in objects {
            if sealed::for_kind(&object.id.api_version, &object.id.kind).is_none() {
                continue;
            }
            let failed = |refusal: sealed::Refusal| {
                let at = Some(object.at).filter(|at| *at != (1, 1));
                Failure { at, ..Failure::from(refusal) }.in_file(&file)
            };
            for secret in sealed::open(&object, &keys).map_err(failed)?.secrets {
                if !out.is_empty() {
                    out.extend_from_slice(b"---\n");
                }
                out.extend_from_slice(secret.to_yaml()?.expose());
            }
        }
    }
    if out.is_empty() {
        let what = "no sealed resource in it";
        return Err(Failure::new(Exit::Generic, what).in_file(&args.paths[0]));
    }
    ui::print(out.as_slice())?;
    Ok(Exit::Ok)
}
