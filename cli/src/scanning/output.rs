//! What people and machines get to see of a scan.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use scan::report::template::{Template, TemplateError};
use scan::report::{self, Counts, Dialect, Report, RuleNote, Run, Style as TextStyle, Tool};
use scan::{Fingerprints, Unread};

use super::{Found, Request, Style, What};
use crate::failure::{Exit, Failure};
use crate::paths::one_line;
use crate::{files, ui};

/// Unread things that are named on standard error.
const NAMED: usize = 2;

/// Writes the report, and what is to be said beside it.
///
/// # Errors
/// When the report's format is unknown, or it cannot be written.
pub(crate) fn write(request: &Request, found: &Found) -> Result<(), Failure> {
    let notes: Vec<RuleNote> = found.rules.rules.iter().map(RuleNote::from).collect();
    let ways = ways(request);
    let ways: Vec<&str> = ways.iter().map(String::as_str).collect();
    let fingerprints = Fingerprints::default();
    let run = run(request, found, &notes, &ways, &fingerprints);
    let mut spoke = false;
    if request.style == Style::Gitleaks && request.verbose {
        print(report::by_name("verbose").expect("a format of ours"), &run)?;
    }
    if request.own.json {
        print(report::by_name("json").expect("a format of ours"), &run)?;
    } else if let Some(path) = &request.flags.report_path {
        let bytes = render(request, path, &run)?;
        if path == Path::new("-") { ui::print(&bytes)? } else { files::replace(path, &bytes)? }
    } else if request.style == Style::Plomb {
        print(report::by_name("text").expect("a format of ours"), &run)?;
        spoke = true;
    }
    found.notes.iter().for_each(|note| ui::note(&format!("note: {note}")));
    unread(&found.unread);
    if !spoke {
        ui::note(&summary(found.findings.len(), request.style));
    }
    Ok(())
}

fn summary(count: usize, style: Style) -> String {
    match (count, style) {
        (0, Style::Gitleaks) => "no leaks found".to_owned(),
        (_, Style::Gitleaks) => format!("leaks found: {count}"),
        (0, Style::Plomb) => "no secrets found".to_owned(),
        (1, Style::Plomb) => "1 finding".to_owned(),
        (_, Style::Plomb) => format!("{count} findings"),
    }
}

fn unread(unread: &[Unread]) {
    for it in unread.iter().take(NAMED) {
        ui::say(&one_line(&format!("error: {}: {}", it.what, it.why)));
    }
    if unread.len() > NAMED {
        ui::say(&format!("error: {} more could not be read; the report names them", unread.len() - NAMED));
    }
}

fn run<'a>(
    request: &Request,
    found: &'a Found,
    rules: &'a [RuleNote],
    ways: &'a [&'a str],
    fingerprints: &'a Fingerprints,
) -> Run<'a> {
    let dialect = if request.own.compat { Dialect::Gitleaks } else { Dialect::Plomb };
    let name = if request.style == Style::Gitleaks { "gitleaks" } else { "plomb" };
    let colour = std::io::stdout().is_terminal()
        && !request.flags.no_color
        && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
    Run {
        tool: Tool { name, version: env!("CARGO_PKG_VERSION"), uri: "https://plomb.dev", rules_uri: "" },
        findings: &found.findings,
        rules,
        unread: &found.unread,
        skipped: &found.skipped,
        counts: Counts { contents: found.counts.contents, bytes: found.counts.bytes, commits: 0 },
        redaction: request.flags.redaction(),
        dialect,
        fingerprints,
        remote: found.remote.as_ref(),
        times: None,
        ways,
        style: TextStyle { colour, width: width() },
    }
}

fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|width| *width >= 40).unwrap_or(100)
}

/// The ways on that somebody whose commit was stopped has.
fn ways(request: &Request) -> Vec<String> {
    let pushed = "it is no secret: `plomb allow FINGERPRINT --reason WHY`; a real one that was pushed must be revoked";
    let ways: &[&str] = match request.what {
        What::History(_) | What::PrePush(_) | What::PreReceive(_) => &[
            "it was pushed: change the secret where it was issued; history keeps the old one",
            "it was not pushed: rewrite the commit (`git commit --amend`, `git rebase -i`) with the file encrypted",
            "it is no secret: `plomb allow FINGERPRINT --reason WHY`",
        ],
        What::Message(_) => &["take it out of the message, and commit again", pushed],
        What::Staged(_) => &[
            "a whole file is secret: `plomb encrypt -i FILE`, then stage it again",
            "let plomb encrypt what .sops.yaml covers and stage it again: `plomb scan --staged --fix`",
            pushed,
        ],
        _ => &[
            "a whole file is secret: `plomb encrypt -i FILE`, then stage it again",
            "let plomb encrypt what .sops.yaml covers and stage it again: `plomb scan --fix`",
            pushed,
        ],
    };
    ways.iter().map(|way| (*way).to_owned()).collect()
}

fn print(report: &dyn Report, run: &Run<'_>) -> Result<(), Failure> {
    ui::print(&bytes(report, run)?)
}

fn bytes(report: &dyn Report, run: &Run<'_>) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    report.write(run, &mut out).map_err(|error| Failure::new(Exit::Incomplete, format!("no report: {error}")))?;
    Ok(out)
}

/// How a report is written.
enum Form {
    /// A format of ours.
    Named(&'static dyn Report),
    /// The caller's template.
    Template(Template, PathBuf),
}

/// Whether a report can be written as it is asked for: to be known before a scan that takes long.
///
/// # Errors
/// When its format is unknown, its template cannot be read, or no file can be made where it shall be.
pub(crate) fn check(request: &Request) -> Result<(), Failure> {
    let Some(path) = request.flags.report_path.as_ref().filter(|_| !request.own.json) else { return Ok(()) };
    form(request, path)?;
    let wrong = |what: &str| Err(Failure::new(Exit::Incomplete, what).in_file(path));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match path.metadata() {
        _ if path == Path::new("-") => Ok(()),
        Ok(there) if there.is_dir() => wrong("the report cannot be written: this is a folder"),
        Ok(there) if !there.is_file() => wrong("the report cannot be written: this is no regular file"),
        _ if !folder.is_dir() => wrong("the report cannot be written: there is no such folder"),
        _ if rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err() => {
            wrong("the report cannot be written: the folder cannot be written to")
        }
        _ => Ok(()),
    }
}

fn render(request: &Request, path: &Path, run: &Run<'_>) -> Result<Vec<u8>, Failure> {
    match form(request, path)? {
        Form::Named(report) => bytes(report, run),
        Form::Template(template, path) => template.render(run).map_err(|error| wrong_template(error, &path)),
    }
}

/// The format that is named, or that the file's name tells.
fn form(request: &Request, path: &Path) -> Result<Form, Failure> {
    let flags = &request.flags;
    let wrong = |what: String, hint: String| Failure::new(Exit::Incomplete, what).hint(hint);
    match (flags.report_format.as_deref(), &flags.report_template) {
        (Some("template") | None, Some(template)) => Ok(Form::Template(parse(template)?, template.clone())),
        (Some("template"), None) => Err(wrong(
            "--report-format template needs --report-template".to_owned(),
            "name the template's file".to_owned(),
        )),
        (Some(name), _) => report::by_name(name).map(Form::Named).ok_or_else(|| {
            wrong(format!("there is no report format {}", one_line(name)), format!("there are {}", names()))
        }),
        (None, None) => {
            let named = path.extension().and_then(|end| report::by_extension(end.to_str()?));
            named.map(Form::Named).ok_or_else(|| {
                let what = "the report's file name does not tell its format".to_owned();
                wrong(what, format!("say --report-format; there are {}", names())).in_file(path)
            })
        }
    }
}

fn parse(path: &Path) -> Result<Template, Failure> {
    let text = files::read(path, 16 << 20)?;
    let text = std::str::from_utf8(text.expose())
        .map_err(|_| Failure::new(Exit::Incomplete, "the template is not UTF-8").in_file(path))?;
    Template::parse(text).map_err(|error| wrong_template(error, path))
}

fn wrong_template(error: TemplateError, path: &Path) -> Failure {
    Failure { at: Some((error.line, error.column)), ..Failure::new(Exit::Incomplete, error.what) }.in_file(path)
}

fn names() -> String {
    let mut names: Vec<&str> = report::REPORTS.iter().map(|report| report.name()).collect();
    names.push("template");
    names.join(", ")
}
