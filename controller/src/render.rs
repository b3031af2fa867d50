//! `plomb-controller render`: what a cluster would make of a folder of manifests, without a cluster.
//!
//! The same function decides as in the cluster (`sealed::open_and_plan`). One resource that is refused does not stop
//! the others; nothing is ever printed of a resource that is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sealed::manifest::{self, print_stream};
use sealed::{Keys, Manifest, Reason, Refusal, Situation, open_and_plan};
use secret::SecretBytes;
use serde_json::json;

use crate::identities;
use crate::outcome::{Exit, Failure, one_line, print, say};

/// Print the Secrets that a cluster would make of sealed resources
///
/// Exit code 0: all were rendered; 1: at least one was refused, and the report on standard error says which and why;
/// 2: something could not be read or written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders and files with manifests; or - for a stream of objects, or a kustomize ResourceList, on standard input,
    /// in which sealed resources are replaced and everything else goes through
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Keys: an age identity file, a Secret that holds one (any entry), or a private key of Sealed Secrets. Without,
    /// those that SOPS_AGE_KEY_FILE and SOPS_AGE_KEY name
    #[arg(short, long, value_name = "FILE")]
    identity: Vec<PathBuf>,
    /// Namespace of objects that name none
    #[arg(short, long, default_value = "default")]
    namespace: String,
    /// Write each Secret to NAMESPACE/NAME.yaml in this folder, readable by the owner only
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Report as JSON: one array with resource, file, result, and reason and message where it was refused
    #[arg(long)]
    json: bool,
}

const LIMIT: u64 = 64 << 20;

/// Runs the command.
///
/// # Errors
/// When something cannot be read or written.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let keys = identities::collect_or_variables(&args.identity)?;
    let mut render = Render { keys: &keys, now: now(), report: Report::new(args.json), made: BTreeMap::new() };
    let is_stream = args.paths.iter().any(|path| path.as_os_str() == "-");
    if is_stream && (args.paths.len() > 1 || args.output.is_some()) {
        return Err(Failure::usage("- stands alone, and its result goes to standard output"));
    }
    if is_stream {
        let text = read_stdin()?;
        let stream = manifest::stream(text, &args.namespace);
        let stream = stream.map_err(|error| Failure::new(format!("standard input: {error}")))?;
        let objects = render.replaced(stream.objects);
        let text = print_stream(&objects, stream.is_list, &render.report.faults()).map_err(unwritten)?;
        print(text.expose())?;
        return Ok(render.report.finish());
    }
    let mut secrets = Vec::new();
    for file in files(&args.paths)? {
        secrets.extend(render.file(&file, &args.namespace)?);
    }
    match &args.output {
        Some(folder) => secrets.iter().try_for_each(|secret| write(folder, secret))?,
        None => print(print_stream(&secrets, false, &[]).map_err(unwritten)?.expose())?,
    }
    Ok(render.report.finish())
}

fn unwritten(error: sealed::ManifestError) -> Failure {
    Failure::new(format!("the result cannot be written: {error}"))
}

fn now() -> sealed::Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    sealed::Timestamp(since.map_or(0, |since| since.as_secs().cast_signed()))
}

struct Render<'k> {
    keys: &'k Keys,
    now: sealed::Timestamp,
    report: Report,
    /// Which resource made which Secret: two cannot have one.
    made: BTreeMap<(String, String), String>,
}

impl Render<'_> {
    /// The Secrets of the sealed resources in a file.
    fn file(&mut self, file: &Path, namespace: &str) -> Result<Vec<Manifest>, Failure> {
        let text = identities::read(file, LIMIT)?;
        if !mentions_sealed(text.expose()) {
            return Ok(Vec::new());
        }
        let name = file.display().to_string();
        let objects = match manifest::read(text, &name, namespace) {
            Ok(objects) => objects,
            Err(error) => {
                self.report.unread(&name, &error.to_string());
                return Ok(Vec::new());
            }
        };
        let sealed = objects.iter().filter(|object| is_sealed(object));
        Ok(sealed.flat_map(|object| self.one(object, &name)).collect())
    }

    /// A stream in which every sealed resource gave way to its Secrets; one that was refused is left out.
    fn replaced(&mut self, objects: Vec<Manifest>) -> Vec<Manifest> {
        let mut out = Vec::new();
        for object in objects {
            if is_sealed(&object) {
                out.extend(self.one(&object, "standard input"));
            } else {
                out.push(object);
            }
        }
        out
    }

    fn one(&mut self, resource: &Manifest, file: &str) -> Vec<Manifest> {
        let planned = open_and_plan(resource, self.keys, &Situation { now: self.now, live: &[] });
        let secrets = planned.and_then(|plan| {
            let secrets: Vec<Manifest> = plan.secrets().map(sealed::DesiredSecret::to_manifest).collect();
            self.claim(resource, &secrets).map(|()| secrets)
        });
        self.report.add(resource, file, secrets.as_ref().map(Vec::len));
        secrets.unwrap_or_default()
    }

    /// The first resource that names a Secret has it, as in a cluster.
    fn claim(&mut self, resource: &Manifest, secrets: &[Manifest]) -> Result<(), Refusal> {
        let key = |secret: &Manifest| (secret.id.namespace.clone(), secret.id.name.clone());
        if let Some((secret, owner)) = secrets.iter().find_map(|it| Some((it, self.made.get(&key(it))?))) {
            let what = format!("Secret {} belongs to {owner}", secret.id.name);
            return Err(Refusal::new(Reason::OwnershipConflict, what));
        }
        let owner = format!("{} {}", resource.id.kind, resource.id.name);
        self.made.extend(secrets.iter().map(|secret| (key(secret), owner.clone())));
        Ok(())
    }
}

fn is_sealed(object: &Manifest) -> bool {
    sealed::for_kind(&object.id.api_version, &object.id.kind).is_some()
}

/// Whether a file can hold a sealed resource at all: a folder of manifests holds templates and values that are no
/// YAML, and they are nobody's fault.
fn mentions_sealed(text: &[u8]) -> bool {
    let has = |kind: &str| text.windows(kind.len()).any(|window| window == kind.as_bytes());
    sealed::DIALECTS.iter().any(|dialect| has(dialect.kind()))
}

/// The manifests below the paths, sorted; files that are named are always meant. Links are not followed.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut waiting = vec![path.clone()];
        let from = files.len();
        while let Some(folder) = waiting.pop() {
            let entries = std::fs::read_dir(&folder).map_err(|error| Failure::io(&folder, "list it", &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| Failure::io(&folder, "list it", &error))?;
                let kind = entry.file_type().map_err(|error| Failure::io(&entry.path(), "look at it", &error))?;
                let path = entry.path();
                let ends = ["yaml", "yml", "json"];
                if kind.is_dir() && entry.file_name() != ".git" {
                    waiting.push(path);
                } else if kind.is_file() && path.extension().is_some_and(|end| ends.iter().any(|it| end == *it)) {
                    files.push(path);
                }
            }
        }
        files[from..].sort();
    }
    Ok(files)
}

fn read_stdin() -> Result<SecretBytes, Failure> {
    use std::io::Read as _;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let read = std::io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::io(Path::new("standard input"), "read it", &error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failure::new("standard input: is larger than 64 MiB"));
    }
    Ok(SecretBytes::new(std::mem::take(&mut *bytes)))
}

/// Writes one Secret whole or not at all, for the owner's eyes only.
fn write(folder: &Path, secret: &Manifest) -> Result<(), Failure> {
    use std::io::Write as _;
    let folder = folder.join(&secret.id.namespace);
    std::fs::create_dir_all(&folder).map_err(|error| Failure::io(&folder, "make the folder", &error))?;
    let path = folder.join(format!("{}.yaml", secret.id.name));
    let failed = |error: std::io::Error| Failure::io(&path, "write it", &error);
    let text = secret.to_yaml().map_err(unwritten)?;
    // Temporary files are made with mode 0600.
    let mut temp = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
    temp.write_all(text.expose()).and_then(|()| temp.as_file().sync_all()).map_err(failed)?;
    temp.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// What became of each resource.
struct Report {
    json: bool,
    rows: Vec<serde_json::Value>,
    faults: Vec<String>,
}

impl Report {
    fn new(json: bool) -> Self {
        Self { json, rows: Vec::new(), faults: Vec::new() }
    }

    fn add(&mut self, resource: &Manifest, file: &str, done: Result<usize, &Refusal>) {
        let id = resource.id.to_string();
        let line = resource.at.0;
        let refusal = match done {
            Ok(secrets) => {
                self.rows.push(json!({"resource": id, "file": file, "result": "rendered", "secrets": secrets}));
                return;
            }
            Err(refusal) => refusal,
        };
        let fault = format!("{file}:{line}: {id}: {refusal}");
        self.rows.push(json!({"resource": id, "file": file, "line": line, "result": "refused",
            "reason": refusal.reason.word(), "message": refusal.message, "hint": refusal.hint}));
        if !self.json {
            say(&format!("error: {fault}"));
            refusal.hint.iter().for_each(|hint| say(&format!("hint: {hint}")));
        }
        self.faults.push(one_line(&fault));
    }

    /// A file that mentions a sealed kind and cannot be read.
    fn unread(&mut self, file: &str, why: &str) {
        self.rows.push(json!({"file": file, "result": "unread", "message": why}));
        if !self.json {
            say(&format!("error: {file}: {why}"));
        }
        self.faults.push(one_line(&format!("{file}: {why}")));
    }

    fn faults(&self) -> Vec<String> {
        self.faults.clone()
    }

    fn finish(self) -> Exit {
        if self.json {
            say(&serde_json::Value::Array(self.rows).to_string());
        }
        if self.faults.is_empty() { Exit::Ok } else { Exit::Refused }
    }
}
