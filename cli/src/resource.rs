//! Sealed resources on the command line: encrypting their text, and keeping their binding when they are edited.

use std::path::{Path, PathBuf};

use document::{Document, EmitOptions, Format};
use sealed::write::{self, Draft, Rebind};
use sealed::{Keys, Manifest, Scope};
use secret::{DataKey, OsRandom, SecretBytes};
use sops::{Memory, Plain, Policy, SealOptions, Sealed, SealedText, Sealing};

use crate::commands::encrypt::PolicyFlags;
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure};
use crate::paths::{one_line, shown};
use crate::{files, format, identities, rewrite, ui};

/// Where the resources that a command makes go, and who may read them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Target {
    /// Recipients (age or ssh), separated by commas; they replace those of the creation rule for the file
    #[arg(short, long, value_name = "RECIPIENTS", env = "SOPS_AGE_RECIPIENTS", hide_env_values = true)]
    age: Option<String>,
    /// Write the result to this file
    #[arg(short, long, value_name = "FILE", conflicts_with = "output_dir")]
    pub(crate) output: Option<PathBuf>,
    /// Write each resource to a file NAME.secret.yaml in this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

/// The policy of a creation rule for this very file: of a sealed resource the rule says who reads it, and the kind
/// says what is encrypted.
pub(crate) fn policy(doc: &Document, rule: Policy) -> Policy {
    if write::is_resource(doc) { write::file_policy(rule) } else { rule }
}

/// How far the files may travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ScopeFlag {
    /// Only under this namespace and name
    Strict,
    /// Under any name in this namespace
    Namespace,
    /// Anywhere in any cluster that can open it
    Cluster,
}

impl From<ScopeFlag> for Scope {
    fn from(flag: ScopeFlag) -> Self {
        match flag {
            ScopeFlag::Strict => Self::Strict,
            ScopeFlag::Namespace => Self::Namespace,
            ScopeFlag::Cluster => Self::Cluster,
        }
    }
}

impl Target {
    /// Encrypts the drafts and writes each where it belongs; one may go to standard output.
    ///
    /// # Errors
    /// When one cannot be sealed; then none is written.
    pub(crate) fn write(&self, drafts: &[Draft], context: &Context) -> Result<(), Failure> {
        if drafts.len() > 1 && self.output_dir.is_none() {
            let what = format!("{} resources, each of which needs a file of its own", drafts.len());
            return Err(Failure::new(Exit::Usage, what).hint("say --output-dir FOLDER"));
        }
        let place = |draft: &Draft| match (&self.output, &self.output_dir) {
            (Some(file), _) => (file.clone(), true),
            (None, Some(folder)) => (folder.join(format!("{}.secret.yaml", draft.name)), true),
            (None, None) => (PathBuf::from(format!("{}.secret.yaml", draft.name)), false),
        };
        let places: Vec<_> = drafts.iter().map(place).collect();
        self.check(&places)?;
        // Before anything is sealed: the search for a configuration starts in a folder that exists.
        for folder in places.iter().filter(|(_, to_file)| *to_file).filter_map(|(file, _)| file.parent()) {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|error| Failure::io(folder, "make the folder", &error).exit(Exit::Output))?;
        }
        let seal = |(draft, (file, _)): (&Draft, &(PathBuf, bool))| {
            let plain = write::plain_text(draft).map_err(|error| Failure::from(error).in_file(file))?;
            self.seal(plain, file, context).map_err(|failure| failure.in_file(file))
        };
        let sealed: Vec<Sealed> = drafts.iter().zip(&places).map(seal).collect::<Result<_, _>>()?;
        for ((file, to_file), sealed) in places.iter().zip(sealed) {
            if !to_file {
                ui::print(&sealed.text)?;
                continue;
            }
            files::replace(file, &sealed.text)?;
            ui::note(&format!("{}: sealed", shown(file)));
        }
        Ok(())
    }

    fn check(&self, places: &[(PathBuf, bool)]) -> Result<(), Failure> {
        let mut seen = std::collections::BTreeSet::new();
        for (file, to_file) in places {
            if !seen.insert(file) {
                let what = "two resources would go to this file";
                return Err(Failure::new(Exit::Usage, what).in_file(file).hint("seal them into different folders"));
            }
            if *to_file && !self.force && file.symlink_metadata().is_ok() {
                let what = "is there already";
                return Err(Failure::new(Exit::Output, what).in_file(file).hint("say --force to replace it"));
            }
        }
        Ok(())
    }

    /// Encrypts one text, which is YAML, under the recipients of the rule for `file`; as JSON where its name says so.
    ///
    /// # Errors
    /// When there is nobody to encrypt to, or the configuration is wrong.
    pub(crate) fn seal(&self, plain: SecretBytes, file: &Path, context: &Context) -> Result<Sealed, Failure> {
        let flags = PolicyFlags { age: self.age.clone(), ..PolicyFlags::default() };
        let rule = if self.age.is_some() { context.policy_if_any(file)? } else { context.policy_for(file)? };
        let policy = write::file_policy(flags.over(rule, file)?);
        let doc = match format::choose(None, file).name() {
            "json" => context.plain(as_json(plain)?, &document::format::Json)?,
            _ => context.plain(plain, &document::format::Yaml)?,
        };
        let mut rng = OsRandom::new();
        let key = DataKey::generate(&mut rng);
        let metadata = policy.metadata(&key, &context.access(), &mut rng)?;
        let now = context.now();
        let (memory, options) = (Memory::default(), SealOptions::default());
        Ok(sops::seal(doc, Sealing { key: &key, metadata, memory, options, rng: &mut rng, now, created: now })?)
    }
}

fn as_json(yaml: SecretBytes) -> Result<SecretBytes, Failure> {
    let doc = document::format::Yaml.parse(yaml)?;
    let options = EmitOptions { indent: Some(2) };
    Ok(document::format::Json.emit(&doc.branches, &options)?)
}

/// Reads the objects of files, of folders' `.yaml`, `.yml` and `.json` files, and of standard input (`-`).
///
/// # Errors
/// When a file cannot be read. Files that were found in folders and are no manifests are passed over.
pub(crate) fn manifests(paths: &[PathBuf], namespace: &str) -> Result<Vec<(PathBuf, Vec<Manifest>)>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let text = files::read_stdin(files::STRUCTURED_LIMIT)?;
            let name = if text.expose().trim_ascii_start().starts_with(b"{") { "-.json" } else { "-" };
            let objects = sealed::manifest::read(text, name, namespace)?;
            found.push((PathBuf::from("standard input"), objects));
        } else if path.is_dir() {
            for file in crate::many::files_below(path)?.into_iter().filter(|file| is_manifest(file)) {
                if let Ok(objects) = read(&file, namespace) {
                    found.push((file, objects));
                }
            }
        } else {
            found.push((path.clone(), read(path, namespace)?));
        }
    }
    Ok(found)
}

fn is_manifest(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
}

fn read(file: &Path, namespace: &str) -> Result<Vec<Manifest>, Failure> {
    let text = files::read(file, files::STRUCTURED_LIMIT)?;
    let found = sealed::manifest::read(text, &file.to_string_lossy(), namespace);
    found.map_err(|error| Failure::from(error).in_file(file))
}

/// The identities at hand, and private keys of Sealed Secrets from files: PEM, a Secret, or a List of these.
///
/// # Errors
/// When a file holds no such key.
pub(crate) fn keys(rsa: &[PathBuf], context: &Context) -> Result<Keys, Failure> {
    let mut keys = Keys::new(identities::collect(&context.access()));
    for file in rsa {
        add_rsa(&mut keys, file)?;
    }
    Ok(keys)
}

#[cfg(feature = "bitnami")]
fn add_rsa(keys: &mut Keys, file: &Path) -> Result<(), Failure> {
    let text = files::read(file, files::STRUCTURED_LIMIT)?;
    let bad = |error: sealed::bitnami::RsaKeyError| Failure::new(Exit::Input, error.to_string()).in_file(file);
    let is_pem = text.expose().trim_ascii_start().starts_with(b"-----BEGIN");
    let mut found = Vec::new();
    if is_pem {
        found = sealed::bitnami::RsaKey::from_pem(&text).map_err(bad)?;
    } else {
        let name = if text.expose().trim_ascii_start().starts_with(b"{") { "key.json" } else { "key.yaml" };
        for object in sealed::manifest::read(text, name, "").map_err(|error| Failure::from(error).in_file(file))? {
            found.extend(sealed::bitnami::RsaKey::from_secret(&object).map_err(bad)?);
        }
    }
    if found.is_empty() {
        let what = "holds no private key of Sealed Secrets";
        let hint =
            "kubectl get secret -n kube-system -l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml gives them";
        return Err(Failure::new(Exit::Input, what).in_file(file).hint(hint));
    }
    found.into_iter().for_each(|key| keys.add_rsa(key));
    Ok(())
}

#[cfg(not(feature = "bitnami"))]
fn add_rsa(_keys: &mut Keys, file: &Path) -> Result<(), Failure> {
    let what = "this plomb was built without support for Sealed Secrets";
    Err(Failure::new(Exit::Usage, what).in_file(file).hint("build it with the feature `bitnami`"))
}

/// What is known of a resource before it is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not a resource of ours, or SOPS' own rules hold.
    Other,
    /// Its binding fits: it is bound anew after the edit.
    InOrder,
    /// It does not: somebody changed it, and an edit must not bless that.
    Broken,
}

/// Looks at a decrypted file before an edit.
pub(crate) fn standing(plain: &Plain, context: &Context) -> Standing {
    let doc = plain.document();
    match context.mode {
        Mode::Plomb if write::is_resource(doc) && write::is_in_order(doc) => Standing::InOrder,
        Mode::Plomb if write::is_resource(doc) => Standing::Broken,
        _ => Standing::Other,
    }
}

/// An edited resource with its keys in order and its binding renewed; other files as they are.
///
/// # Errors
/// When a cluster would refuse the resource, with its reason.
pub(crate) fn settled(
    file: &Path,
    standing: Standing,
    sealed: Sealed,
    opening: (&SecretBytes, &'static dyn Format),
    context: &Context,
) -> Result<Sealed, Failure> {
    match standing {
        Standing::Other => return Ok(sealed),
        Standing::Broken => {
            let name = shown(file);
            ui::note(&format!("warning: {name}: its binding does not fit, and was left so: see `plomb bind {name}`"));
            return Ok(sealed);
        }
        Standing::InOrder => {}
    }
    let (key, format) = opening;
    let Sealed { text, notices, values } = sealed;
    let text = text.into_whole();
    let plain = context.decrypt_with(context.encrypted(text.duplicate(), format)?, key.duplicate())?;
    let how = Rebind { scope: None, moved: true };
    let again = bound(file, plain, how, context)?.map(|(again, _)| again);
    Ok(again.unwrap_or(Sealed { text: SealedText::Whole(text), notices, values }))
}

/// A decrypted resource bound and encrypted again, with what was said about it; `None` if it fits already.
///
/// # Errors
/// When it is no resource, or a cluster would refuse it.
pub(crate) fn bound(
    file: &Path,
    plain: Plain,
    how: Rebind,
    context: &Context,
) -> Result<Option<(Sealed, String)>, Failure> {
    let text = plain.text(&rewrite::layout(file, &plain, context)?)?;
    let bound = write::bound(text, plain.document().format, how)?;
    if let Some(doubt) = &bound.doubt {
        ui::note(&one_line(&format!("warning: {}: a cluster will refuse it: {doubt}", shown(file))));
    }
    // A file that SOPS printed comes back with every such key in quotes already.
    let quoted = bound.quoted || write::has_misread_keys(plain.document());
    if !bound.changed && !bound.sorted && !quoted {
        return Ok(None);
    }
    let place = match (&bound.binding.namespace, &bound.binding.name) {
        (Some(namespace), Some(name)) => format!("to {namespace}/{name}"),
        (Some(namespace), None) => format!("to namespace {namespace}"),
        _ => "to any place".to_owned(),
    };
    let sealed =
        rewrite::seal(file, plain, context, |plain, again| sops::rewrite::with_text(plain, bound.text, again))?;
    let sorted = if bound.sorted { ", keys sorted" } else { "" };
    let quoted = if quoted { ", keys that kubectl misreads put in quotes" } else { "" };
    Ok(Some((sealed, one_line(&format!("bound {place}{sorted}{quoted}")))))
}
