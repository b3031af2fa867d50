//! `plomb rules`: what the scanner looks for.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use scan::gitleaks::{self, Level};
use scan::{Content, Lines, Options, Origin, Rule, RuleSet, Scanner};
use serde_json::json;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{one_line, shown};
use crate::scanning::{Surroundings, rules_of};
use crate::{files, ui};

/// Show, try and check the rules of the scanner
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all rules
    List(List),
    /// Show one rule
    Show(Show),
    /// Say which rules find something in a text on standard input
    Test(Test),
    /// Say everything there is to say about a gitleaks.toml
    Lint(Lint),
}

#[derive(Debug, clap::Args)]
struct List {
    /// A gitleaks.toml instead of our own rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The rule's id
    id: String,
    /// A gitleaks.toml instead of our own rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Test {
    /// Only this rule
    id: Option<String>,
    /// The name that the text is to have: some rules look at it
    #[arg(long, value_name = "NAME", default_value = "")]
    path: String,
    /// A gitleaks.toml instead of our own rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Lint {
    /// The file
    #[arg(default_value = ".gitleaks.toml")]
    file: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &Args, _context: &mut Context) -> Outcome {
    match &args.what {
        What::List(list) => self::list(list),
        What::Show(show) => self::show(show),
        What::Test(test) => self::test(test),
        What::Lint(lint) => self::lint(&lint.file),
    }
}

fn list(args: &List) -> Outcome {
    let set = rules_of(args.rules.as_deref())?;
    if args.json {
        let all: Vec<_> = set.rules.iter().map(record).collect();
        let text = serde_json::to_string_pretty(&all).expect("strings and numbers are JSON");
        ui::print(format!("{text}\n").as_bytes())?;
        return Ok(Exit::Ok);
    }
    let row = |rule: &Rule| {
        let sure = rule.confidence.name().to_owned();
        vec![rule.id.to_string(), rule.severity.name().to_owned(), sure, one_line(&rule.description)]
    };
    ui::table(&["RULE", "SEVERITY", "CONFIDENCE", "FINDS"], &set.rules.iter().map(row).collect::<Vec<_>>())?;
    Ok(Exit::Ok)
}

fn record(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id.as_ref(),
        "description": rule.description.as_ref(),
        "severity": rule.severity.name(),
        "confidence": rule.confidence.name(),
        "regex": rule.regex.as_ref().map(pattern::Pattern::source),
        "path": rule.path.as_ref().map(pattern::Pattern::source),
        "keywords": rule.keywords,
        "entropy": rule.entropy,
        "tags": rule.tags,
        "verified": scan::builtin::about(&rule.id).and_then(|about| about.verified),
        "source": scan::builtin::about(&rule.id).map(|about| about.source),
    })
}

fn show(args: &Show) -> Outcome {
    let set = rules_of(args.rules.as_deref())?;
    let rule = find(&set, &args.id)?;
    let mut text = format!("{}\n  {}\n", rule.id, one_line(&rule.description));
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            text += &format!("  {name:<12}{}\n", one_line(&value));
        }
    };
    line("severity", rule.severity.name().to_owned());
    line("confidence", rule.confidence.name().to_owned());
    line("regex", rule.regex.as_ref().map_or(String::new(), |it| it.source().to_owned()));
    line("path", rule.path.as_ref().map_or(String::new(), |it| it.source().to_owned()));
    line("keywords", rule.keywords.join(", "));
    line("entropy", if rule.entropy > 0.0 { format!("more than {}", rule.entropy) } else { String::new() });
    let about = scan::builtin::about(&rule.id);
    line("verified", about.and_then(|about| about.verified).unwrap_or_default().to_owned());
    line("needs", rule.required.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(", "));
    line("tags", rule.tags.join(", "));
    line("source", about.map_or("", |about| about.source).to_owned());
    ui::print(text.as_bytes())?;
    Ok(Exit::Ok)
}

fn find<'s>(set: &'s RuleSet, id: &str) -> Result<&'s Rule, Failure> {
    set.rules.iter().find(|rule| rule.id.as_ref() == id).ok_or_else(|| {
        let alike = set.rules.iter().find(|rule| rule.id.contains(id)).map(|rule| rule.id.to_string());
        let hint = alike.map_or("`plomb rules list` shows all".to_owned(), |id| format!("did you mean {id}?"));
        Failure::new(Exit::Generic, format!("there is no rule {}", one_line(id))).hint(hint)
    })
}

fn test(args: &Test) -> Outcome {
    let set = rules_of(args.rules.as_deref())?;
    if let Some(id) = &args.id {
        find(&set, id)?;
    }
    let text = files::read_stdin(64 << 20)?;
    let enabled = args.id.iter().cloned().collect();
    let options = Options { min_confidence: scan::Confidence::Low, enabled, ..Options::default() };
    let scanner = Scanner::new(set.into(), options);
    let paths = [args.path.as_str().into()];
    let seen = scanner.scan(&Content { bytes: text.expose(), paths: &paths, first_line: 1, base: None });
    let origin = Origin { path: args.path.as_str().into(), ..Origin::default() };
    let findings = scanner.judge(&seen, &origin, Lines::All);
    for it in &findings {
        let (line, column) = (it.span.start_line, it.span.start_column);
        let told = format!(
            "{line}:{column} {} ({} severity, {} confidence)\n",
            it.rule,
            it.severity.name(),
            it.confidence.name()
        );
        ui::print(told.as_bytes())?;
    }
    if findings.is_empty() {
        ui::note("no rule finds anything");
        return Ok(Exit::Child(1));
    }
    Ok(Exit::Ok)
}

fn lint(file: &Path) -> Outcome {
    let text = files::read(file, 64 << 20)?;
    let remarks = gitleaks::lint(text.expose(), &mut Surroundings);
    for remark in &remarks {
        let level = match remark.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Advice => "advice",
        };
        let name = remark.file.clone().unwrap_or_else(|| shown(file));
        let hint = remark.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
        let line = format!("{name}:{}:{}: {level}: {}{hint}", remark.line, remark.column, remark.what);
        ui::print(format!("{}\n", one_line(&line)).as_bytes())?;
    }
    let wrong = remarks.iter().any(|remark| remark.level == Level::Error);
    if remarks.is_empty() {
        ui::note(&format!("{}: nothing to remark", shown(file)));
    }
    Ok(if wrong { Exit::Generic } else { Exit::Ok })
}
