//! `plomb bind`: an EncryptedSecret that was changed by hand fits its place and shape again.

use std::path::{Path, PathBuf};

use sealed::write::{Rebind, file_policy};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::many::{self, Done};
use crate::resource::{self, ScopeFlag};
use crate::{files, format, rewrite, ui};

/// Bind sealed resources to their place and shape, with their keys in order
///
/// Needed after `sops edit` or `sops set` added, removed or renamed something: clusters refuse such a file with
/// ShapeMismatch or KeyOrder. Look at the change first: what is bound is what clusters accept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    many: many::Flags,
    /// How far the files may travel; as before if not given
    #[arg(long, value_name = "SCOPE")]
    scope: Option<ScopeFlag>,
    /// Bind files to the namespace and name that they have now, though they were bound to others
    #[arg(long = "move")]
    moved: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    // A scope that is named is meant.
    let how = Rebind { scope: args.scope.map(Into::into), moved: args.moved || args.scope.is_some() };
    let work = |file: &Path| one(file, how, args.many.dry_run, context).map_err(|failure| failure.in_file(file));
    match args.files.as_slice() {
        [file] if !args.many.json => work(file).map(|done| {
            if done == "unchanged" {
                ui::note(&format!("{}: fits already", crate::paths::shown(file)));
            }
            Exit::Ok
        }),
        files => many::run(files, args.many, work),
    }
}

fn one(file: &Path, how: Rebind, dry: bool, context: &Context) -> Result<Done, Failure> {
    let format = format::choose(None, file);
    let (rewriting, text) = files::Rewrite::begin_or_read(file, Context::limit(format), dry)?;
    let plain = rewrite::open(file, text, format, context)?;
    let wanted = file_policy(sops::Policy::default());
    let metadata = plain.metadata();
    if Some(&metadata.selector) != wanted.selector.as_ref() || !metadata.mac_only_encrypted {
        let what = "is not encrypted as a sealed resource: other values, or a MAC over more than these";
        return Err(Failure::new(Exit::Generic, what).hint("`plomb unseal`, then `plomb seal`"));
    }
    let Some((sealed, what)) = resource::bound(file, plain, how, context)? else { return Ok("unchanged") };
    if let Some(rewriting) = rewriting {
        rewriting.commit(&sealed.text)?;
    }
    ui::note(&format!("{}: {what}", crate::paths::shown(file)));
    Ok("bound")
}
