//! Which rules a scan uses, and where the files come from that choose them.

use std::path::{Path, PathBuf};

use bstr::BStr;
use scan::RuleSet;
use scan::gitleaks::{self, ConfigError, Loaded, Remark, World};
use source::Repository;

use super::{Request, Style, exceptions};
use crate::failure::{Exit, Failure};
use crate::paths::{one_line, shown};
use crate::{files, ui};

const NAME: &str = ".gitleaks.toml";
const LIMIT: u64 = 64 << 20;

/// The rules: those that the command line names, those of the environment, those beside what is scanned, our own.
///
/// # Errors
/// When rules are named that cannot be read or are wrong.
pub(crate) fn load(request: &Request) -> Result<RuleSet, Failure> {
    let Some((name, text)) = chosen(request)? else { return Ok(scan::builtin::builtin()) };
    let loaded = parse(&name, &text)?;
    // gitleaks says nothing of this; its users hear it if they ask.
    if request.style == Style::Plomb || request.verbose {
        tell(&name, &loaded.warnings);
    }
    Ok(loaded.rules)
}

/// The rules of a file, or our own.
///
/// # Errors
/// When the file cannot be read or is wrong.
pub(crate) fn rules_of(path: Option<&Path>) -> Result<RuleSet, Failure> {
    let Some(path) = path else { return Ok(scan::builtin::builtin()) };
    let (name, text) = read(path)?;
    Ok(parse(&name, &text)?.rules)
}

/// The text of the rules that were chosen, and its name; `None` for our own.
fn chosen(request: &Request) -> Result<Option<(PathBuf, Vec<u8>)>, Failure> {
    if let Some(path) = &request.own.rules {
        return read(path).map(Some);
    }
    let from_environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = from_environment("GITLEAKS_CONFIG") {
        return read(Path::new(&path)).map(Some);
    }
    if let Some(text) = from_environment("GITLEAKS_CONFIG_TOML") {
        return Ok(Some((PathBuf::from("GITLEAKS_CONFIG_TOML"), text.into_encoded_bytes())));
    }
    let home = request.what.home();
    if request.style == Style::Gitleaks && home.is_file() {
        // gitleaks looks below what it scans only.
        return Ok(None);
    }
    let places = [home.join(NAME), exceptions::root_of(&home).join(NAME)];
    let found = texts(request, NAME, &places)?.into_iter().next();
    Ok(found.map(|(name, text)| (PathBuf::from(name), text)))
}

fn read(path: &Path) -> Result<(PathBuf, Vec<u8>), Failure> {
    let text = files::read_named(path, LIMIT)?;
    Ok((path.to_owned(), text.expose().to_vec()))
}

/// The files of this name at any of these places, each once; from the commit of `--config-from` if that is given.
///
/// # Errors
/// When there is one that cannot be read.
pub(crate) fn texts(request: &Request, name: &str, places: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    if let Some(revision) = &request.own.config_from {
        return at_commit(request, revision, name);
    }
    let mut seen = Vec::new();
    let mut texts = Vec::new();
    for place in places {
        let Ok(real) = place.canonicalize() else { continue };
        if real.is_dir() && place.ends_with(name) {
            ui::note(&format!("warning: {}: this is a folder, and says nothing", exceptions::named(place)));
        }
        if seen.contains(&real) || real.is_dir() {
            continue;
        }
        let text = files::read(place, LIMIT).map_err(|failure| failure.exit(Exit::Incomplete))?;
        texts.push((exceptions::named(place), text.expose().to_vec()));
        seen.push(real);
    }
    Ok(texts)
}

/// The file of this name at the root of the repository, as a commit has it.
fn at_commit(request: &Request, revision: &str, name: &str) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let repository = Repository::discover(&request.what.home()).map_err(|error| source_failure(&error))?;
    let text = repository.read_at(BStr::new(revision), BStr::new(name)).map_err(|error| source_failure(&error))?;
    Ok(text.map(|text| (format!("{revision}:{name}"), text)).into_iter().collect())
}

/// A source that cannot be read at all.
pub(crate) fn source_failure(error: &source::SourceError) -> Failure {
    Failure::new(Exit::Incomplete, error.to_string())
}

/// Reads a gitleaks.toml and what it extends.
fn parse(name: &Path, text: &[u8]) -> Result<Loaded, Failure> {
    gitleaks::read(text, &mut Surroundings).map_err(|error| wrong(name, error))
}

fn tell(name: &Path, warnings: &[Remark]) {
    warnings.iter().take(SHOWN).for_each(|it| ui::note(&warning(name, it)));
    if warnings.len() > SHOWN {
        let more = warnings.len() - SHOWN;
        ui::note(&format!("warning: {}: {more} more; `plomb rules lint` shows them", shown(name)));
    }
}

/// Warnings that are shown before a scan.
const SHOWN: usize = 3;

/// A warning about a configuration, in one line.
pub(crate) fn warning(name: &Path, remark: &Remark) -> String {
    let file = remark.file.as_deref().map_or_else(|| shown(name), str::to_owned);
    let hint = remark.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
    one_line(&format!("warning: {file}:{}:{}: {}{hint}", remark.line, remark.column, remark.what))
}

fn wrong(name: &Path, error: ConfigError) -> Failure {
    let file = error.file.as_deref().map_or_else(|| name.to_owned(), PathBuf::from);
    let failure = Failure { at: Some((error.line, error.column)), ..Failure::new(Exit::Incomplete, error.what) };
    Failure { hint: error.hint, ..failure }.in_file(&file)
}

/// What a configuration may ask for: our own rules as the default, and files that it extends.
pub(crate) struct Surroundings;

impl World for Surroundings {
    fn default_rules(&mut self) -> RuleSet {
        scan::builtin::builtin()
    }

    fn open(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let text = files::read(Path::new(path), LIMIT).map_err(|failure| failure.what)?;
        Ok(text.expose().to_vec())
    }
}
