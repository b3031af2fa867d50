//! `plomb convert`: sealed resources of others become EncryptedSecrets, for people and clusters, without a cluster.

use std::path::{Path, PathBuf};

use sealed::resource::{Conflict, Deletion, Policy};
use sealed::write::{Draft, plain_text, secret_of};
use sealed::{DesiredSecret, Keys, Manifest, Opened, Scope};

use crate::commands::seal;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::resource::{self, Target};
use crate::{files, ui};

/// Make EncryptedSecrets of SealedSecrets, SopsSecrets and encrypted Secrets
///
/// SealedSecrets need the exported private keys of their cluster. With --in-place whole folders are converted: every
/// file that holds one sealed object of another kind is replaced.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files, folders, or - for standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Private key of Sealed Secrets: PEM, a Secret, or a List of these
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Namespace of objects that name none
    #[arg(short, long)]
    namespace: Option<String>,
    /// Write each result back to its file
    #[arg(short, long, conflicts_with_all = ["output", "output_dir"])]
    in_place: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let keys = resource::keys(&args.key, context)?;
    let namespace = args.namespace.as_deref().unwrap_or_default();
    let mut drafts = Vec::new();
    for (file, objects) in resource::manifests(&args.paths, namespace)? {
        let single = objects.len() == 1;
        let found = of_file(&file, objects, &keys, context).map_err(|failure| failure.in_file(&file))?;
        if args.in_place && !found.is_empty() && !single {
            let what = "holds more than one object; an EncryptedSecret is alone in its file";
            return Err(Failure::new(Exit::Usage, what).in_file(&file).hint("convert it with --output-dir FOLDER"));
        }
        drafts.extend(found.into_iter().map(|draft| (file.clone(), draft)));
    }
    if drafts.is_empty() {
        let what = "there is nothing to convert: no SealedSecret, SopsSecret or encrypted Secret";
        return Err(Failure::new(Exit::Generic, what).in_file(&args.paths[0]));
    }
    if args.in_place {
        in_place(&drafts, &args.target, context)?;
    } else {
        let drafts: Vec<Draft> = drafts.into_iter().map(|(_, draft)| draft).collect();
        args.target.write(&drafts, context)?;
    }
    Ok(Exit::Ok)
}

/// Everything is sealed before anything is written.
fn in_place(drafts: &[(PathBuf, Draft)], target: &Target, context: &Context) -> Result<(), Failure> {
    let seal = |(file, draft): &(PathBuf, Draft)| {
        let rewrite = files::Rewrite::begin(file, files::STRUCTURED_LIMIT)?;
        let sealed = plain_text(draft).map_err(Failure::from).and_then(|plain| target.seal(plain, file, context));
        sealed.map(|sealed| (rewrite, sealed)).map_err(|failure| failure.in_file(file))
    };
    let sealed: Vec<_> = drafts.iter().map(seal).collect::<Result<_, _>>()?;
    for ((file, _), (rewrite, sealed)) in drafts.iter().zip(sealed) {
        rewrite.commit(&sealed.text)?;
        ui::note(&format!("{}: converted", crate::paths::shown(file)));
    }
    Ok(())
}

fn of_file(file: &Path, objects: Vec<Manifest>, keys: &Keys, context: &Context) -> Result<Vec<Draft>, Failure> {
    let is_flux = |object: &Manifest| object.id.kind == "Secret" && object.id.api_version == "v1" && object.is_sops();
    if objects.iter().any(is_flux) {
        let secrets = seal::decrypted(file, context)?;
        return secrets.iter().filter(|object| object.id.kind == "Secret").map(of_secret).collect();
    }
    objects.iter().filter_map(|object| of_sealed(object, keys)).collect()
}

fn of_secret(object: &Manifest) -> Result<Draft, Failure> {
    let secret = secret_of(object)?;
    Ok(Draft {
        name: secret.name.clone(),
        namespace: Some(secret.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        scope: Scope::Strict,
        policy: Policy::default(),
        secrets: vec![secret],
    })
}

/// `None` for what is no sealed resource, and for those of our own kind.
fn of_sealed(object: &Manifest, keys: &Keys) -> Option<Result<Draft, Failure>> {
    let dialect = sealed::for_kind(&object.id.api_version, &object.id.kind)?;
    if dialect.group() == "plomb.dev" {
        return None;
    }
    Some(sealed::open(object, keys).map(|opened| draft(object, opened)).map_err(Failure::from))
}

fn draft(object: &Manifest, opened: Opened) -> Draft {
    let marked = |name: &str| {
        let is = |secret: &DesiredSecret| secret.annotations.get(name).is_some_and(|value| value == "true");
        opened.secrets.iter().any(is)
    };
    let conflict = match (marked("sealedsecrets.bitnami.com/patch"), marked("sealedsecrets.bitnami.com/managed")) {
        (true, _) => Conflict::Merge,
        (false, true) => Conflict::Adopt,
        (false, false) => Conflict::Fail,
    };
    let deletion = if opened.takeover.without_owner { Deletion::Orphan } else { Deletion::Delete };
    Draft {
        name: object.id.name.clone(),
        namespace: Some(object.id.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        scope: opened.scope.unwrap_or_default(),
        policy: Policy { conflict, deletion, ..Policy::default() },
        // What they said is in the policy now.
        secrets: opened.secrets.into_iter().map(DesiredSecret::without_ownership_marks).collect(),
    }
}
