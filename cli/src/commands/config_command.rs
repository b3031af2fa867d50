//! `plomb config`: is .sops.yaml right, and why is a file governed by which rule?

mod advice;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use sops::config::Strictness;

use crate::config;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{self, one_line, shown};
use crate::ui;

/// Check .sops.yaml; say why a file is governed by which rule
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a configuration strictly, and give advice
    Check {
        /// The configuration; the nearest .sops.yaml if none is given
        file: Option<PathBuf>,
    },
    /// Say which configuration, rule, recipients and selector a file gets; exit 1 if it gets none
    Why {
        /// The file; it need not exist
        file: PathBuf,
    },
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    match args.command {
        Command::Check { file } => {
            if let Some(file) = file {
                context.config = Some(file);
            }
            check(context)
        }
        Command::Why { file } => why(&file, context),
    }
}

fn check(context: &Context) -> Outcome {
    let path = match &context.config {
        Some(path) => path.clone(),
        None => {
            let none = || {
                let hint = config::passed_over(Path::new("file"));
                Failure::new(Exit::Generic, "there is no .sops.yaml for files here")
                    .hint(hint.unwrap_or_else(|| "make one with `plomb init`".to_owned()))
            };
            paths::from_here(&config::nearest(Path::new("file"))?.ok_or_else(none)?)
        }
    };
    let loaded = context.load_config(path.clone(), Strictness::Strict)?;
    if let Some(problem) = &loaded.config.destination_problem {
        return Err(Failure::from(problem.clone()).in_file(&path));
    }
    let advice = advice::of(&loaded, context)?;
    let mut text: String = advice.iter().map(|line| format!("{}\n", one_line(line))).collect();
    let rules = loaded.config.creation_rules.as_ref().map_or(0, Vec::len);
    let plural = if rules == 1 { "" } else { "s" };
    text.push_str(&format!("{}: {rules} creation rule{plural}, no errors\n", shown(&path)));
    ui::print(text.as_bytes())?;
    Ok(Exit::Ok)
}

fn why(file: &Path, context: &Context) -> Outcome {
    let mut lines = vec![("file", shown(file))];
    let search = config::search(file)?;
    let path = context.config.clone().or_else(|| search.found.clone());
    if context.config.is_some() {
        lines.push(("searched", "nowhere: the configuration was named".to_owned()));
    } else {
        let visited: Vec<String> = search.visited.iter().map(|folder| shown(&paths::from_here(folder))).collect();
        lines.push(("searched", format!("{} ({})", visited.join(", "), search.end)));
    }
    let Some(path) = path else {
        print(&lines)?;
        let what = "no configuration governs it: there is no .sops.yaml in the folders searched";
        return Err(Failure::new(Exit::Generic, what).in_file(file).hint("make one with `plomb init`"));
    };
    lines.push(("config", shown(&paths::from_here(&path))));
    let config = context.load_config(path, Strictness::Strict)?;
    lines.push(("path", config.rule_path(file)));
    let rule = match config.rule_for(file) {
        Ok(Some(rule)) => rule,
        Ok(None) => {
            print(&lines)?;
            return Err(Failure::new(Exit::Generic, "the configuration has no creation rules").in_file(file));
        }
        Err(failure) => {
            print(&lines)?;
            return Err(failure);
        }
    };
    lines.extend(describe(rule.0, rule.1));
    print(&lines)?;
    Ok(Exit::Ok)
}

fn describe(number: usize, rule: &sops::CreationRule) -> Vec<(&'static str, String)> {
    let policy = &rule.policy;
    let regex = rule.path_regex.as_ref().map_or("none: it matches every file".to_owned(), |it| it.source().to_owned());
    let mut lines = vec![("rule", format!("{number} (line {})", rule.line)), ("path_regex", regex)];
    for (index, group) in policy.groups.iter().enumerate() {
        let name = if policy.groups.len() > 1 { format!("group {}: ", index + 1) } else { String::new() };
        lines.extend(group.iter().map(|recipient| ("recipient", format!("{name}{recipient}"))));
    }
    lines.extend(policy.foreign.iter().map(|name| ("recipient", format!("{name} (plomb cannot encrypt to it)"))));
    if policy.groups.len() > 1 {
        let threshold = policy.threshold.unwrap_or(policy.groups.len());
        lines.push(("threshold", format!("{threshold} of {} groups", policy.groups.len())));
    }
    let selector = match &policy.selector {
        Some(selector) => format!("{} {}", selector.field().0, selector.field().1),
        None => "unencrypted_suffix _unencrypted (SOPS' default: everything else is encrypted)".to_owned(),
    };
    lines.push(("selector", selector));
    lines.push(("mac", if policy.mac_only_encrypted { "encrypted values" } else { "all values" }.to_owned()));
    lines
}

fn print(lines: &[(&str, String)]) -> Result<(), Failure> {
    let text: String = lines.iter().map(|(name, value)| format!("{name:<11} {}\n", one_line(value))).collect();
    ui::print(text.as_bytes())
}
