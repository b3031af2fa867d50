//! `plomb seal`: plain Secrets become EncryptedSecrets, bound to their place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use document::format::Env;
use document::{Format as _, Value};
use sealed::resource::Policy;
use sealed::write::{Draft, misread_keys, secret_of};
use sealed::{DesiredSecret, Manifest};
use secret::SecretBytes;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::resource::{self, ScopeFlag, Target};
use crate::{files, ui};

/// Seal Secrets: make EncryptedSecrets of them
///
/// Takes Secret manifests, plain or encrypted by SOPS, or makes a Secret of values as `kubectl create secret` does.
/// The result is an ordinary SOPS file that clusters turn into the Secret: `plomb edit` changes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files or folders with Secrets, or - for standard input; none if the Secret is made of the flags below
    paths: Vec<PathBuf>,
    #[command(flatten)]
    made: Made,
    /// Namespace of Secrets that name none
    #[arg(short, long)]
    namespace: Option<String>,
    /// Put all Secrets into one resource of this name, instead of each into one of its own
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// How far the files may travel
    #[arg(long, value_name = "SCOPE", default_value = "strict")]
    scope: ScopeFlag,
    #[command(flatten)]
    target: Target,
}

/// A Secret made of flags.
#[derive(Debug, clap::Args)]
struct Made {
    /// Name of the Secret that is made of the flags
    #[arg(long)]
    name: Option<String>,
    /// Its type, such as kubernetes.io/tls
    #[arg(long = "type", value_name = "TYPE", requires = "name")]
    type_: Option<String>,
    /// A value from standard input under this key, without its last line break
    #[arg(long, value_name = "KEY", requires = "name")]
    from_stdin: Option<String>,
    /// A value from a file, under its name or the key in front
    #[arg(long, value_name = "[KEY=]FILE", requires = "name")]
    from_file: Vec<String>,
    /// Values from a file of KEY=VALUE lines
    #[arg(long, value_name = "FILE", requires = "name")]
    from_env_file: Vec<PathBuf>,
    /// A value; needs --value-in-argv, since others can read it in the process list
    #[arg(long, value_name = "KEY=VALUE", requires = "name")]
    from_literal: Vec<String>,
    /// Take values from the command line
    #[arg(long)]
    value_in_argv: bool,
    /// Make the Secret immutable
    #[arg(long, requires = "name")]
    immutable: bool,
    /// A label of the Secret
    #[arg(long, value_name = "KEY=VALUE", requires = "name")]
    label: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let mut secrets = Vec::new();
    for (file, objects) in resource::manifests(&args.paths, args.namespace.as_deref().unwrap_or_default())? {
        let encrypted = objects.iter().any(Manifest::is_sops);
        let objects = if encrypted { decrypted(&file, context)? } else { objects };
        for object in objects.iter().filter(|object| object.id.kind == "Secret") {
            secrets.push(secret_of(object).map_err(|error| Failure::from(error).in_file(&file))?);
        }
    }
    if let Some(secret) = args.made.secret()? {
        secrets.push(secret);
    }
    if secrets.is_empty() {
        let what = "there is no Secret to seal";
        return Err(Failure::new(Exit::Usage, what).hint("name a file, or make one with --name and --from-file"));
    }
    let drafts = drafts(secrets, &args)?;
    args.target.write(&drafts, context)?;
    for key in drafts.iter().flat_map(|draft| &draft.secrets).flat_map(misread_keys).take(1) {
        ui::note(&format!("note: the key {key:?} stays in quotes: without them kubectl reads it as something else"));
    }
    Ok(Exit::Ok)
}

/// The objects of a file that SOPS encrypted, its MAC verified.
///
/// # Errors
/// When it does not open.
pub(crate) fn decrypted(file: &Path, context: &Context) -> Result<Vec<Manifest>, Failure> {
    let format = crate::format::choose(None, file);
    let work = || {
        let text = files::read(file, Context::limit(format))?;
        let plain = context.decrypt(context.encrypted(text, format)?, false)?;
        let text = plain.text(&document::EmitOptions::default())?;
        Ok(sealed::manifest::read(text, &file.to_string_lossy(), "")?)
    };
    work().map_err(|failure: Failure| failure.in_file(file))
}

fn drafts(secrets: Vec<DesiredSecret>, args: &Args) -> Result<Vec<Draft>, Failure> {
    let namespace = |secret: &DesiredSecret| {
        let own = Some(secret.namespace.clone()).filter(|own| !own.is_empty());
        own.or_else(|| args.namespace.clone())
    };
    let draft = |name: String, secrets: Vec<DesiredSecret>| Draft {
        namespace: secrets.first().and_then(namespace),
        name,
        scope: args.scope.into(),
        policy: Policy::default(),
        secrets,
    };
    let Some(name) = &args.resource else {
        return Ok(secrets.into_iter().map(|secret| draft(secret.name.clone(), vec![secret])).collect());
    };
    if let Some(other) = secrets.iter().find(|secret| namespace(secret) != namespace(&secrets[0])) {
        let what = format!("Secret {} is of another namespace: one resource makes Secrets in its own only", other.name);
        return Err(Failure::new(Exit::Usage, what));
    }
    let mut names = std::collections::BTreeSet::new();
    if let Some(twice) = secrets.iter().find(|secret| !names.insert(&secret.name)) {
        return Err(Failure::new(Exit::Usage, format!("there are two Secrets named {}", twice.name)));
    }
    Ok(vec![draft(name.clone(), secrets)])
}

impl Made {
    fn secret(&self) -> Result<Option<DesiredSecret>, Failure> {
        let Some(name) = &self.name else { return Ok(None) };
        if !self.from_literal.is_empty() && !self.value_in_argv {
            let what = "a value on the command line can be read by every process";
            let hint = "pipe it in with --from-stdin KEY, or say --value-in-argv if that is fine";
            return Err(Failure::new(Exit::Usage, what).hint(hint));
        }
        let mut values = Values(BTreeMap::new());
        for pair in &self.from_literal {
            let (key, value) = pair.split_once('=').ok_or_else(|| wrong("--from-literal"))?;
            values.put(key, SecretBytes::from(value))?;
        }
        for pair in &self.from_file {
            let (key, file) = match pair.split_once('=') {
                Some((key, file)) => (key.to_owned(), Path::new(file)),
                None => (file_name(pair)?, Path::new(pair)),
            };
            values.put(&key, files::read(file, files::STRUCTURED_LIMIT)?)?;
        }
        for file in &self.from_env_file {
            values.put_all(file)?;
        }
        if let Some(key) = &self.from_stdin {
            values.put(key, without_line_break(files::read_stdin(files::STRUCTURED_LIMIT)?))?;
        }
        let labels = self.label.iter().map(|pair| {
            pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).ok_or_else(|| wrong("--label"))
        });
        Ok(Some(DesiredSecret {
            name: name.clone(),
            type_: self.type_.clone().unwrap_or_else(|| sealed::resource::OPAQUE.to_owned()),
            immutable: self.immutable,
            labels: labels.collect::<Result<_, _>>()?,
            data: values.0,
            ..DesiredSecret::default()
        }))
    }
}

fn wrong(flag: &str) -> Failure {
    Failure::new(Exit::Usage, format!("{flag} is given as KEY=VALUE"))
}

fn file_name(path: &str) -> Result<String, Failure> {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| wrong("--from-file"))
}

/// Values by key, none of them twice.
struct Values(BTreeMap<String, SecretBytes>);

impl Values {
    fn put(&mut self, key: &str, value: SecretBytes) -> Result<(), Failure> {
        if self.0.insert(key.to_owned(), value).is_some() {
            return Err(Failure::new(Exit::Usage, format!("the key {key} is given twice")));
        }
        Ok(())
    }

    fn put_all(&mut self, file: &Path) -> Result<(), Failure> {
        let doc = Env.parse(files::read(file, files::STRUCTURED_LIMIT)?);
        let doc = doc.map_err(|error| Failure::from(error).in_file(file))?;
        for entry in doc.branches.iter().flat_map(|branch| branch.root.entries()) {
            if let Value::Str(value) = &entry.value.value {
                self.put(&entry.key, value.duplicate())?;
            }
        }
        Ok(())
    }
}

fn without_line_break(text: SecretBytes) -> SecretBytes {
    let mut bytes = text.into_inner();
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    SecretBytes::new(bytes)
}
